// Texts, bytes, characters, Unicode.
// %%
let text = "Grüße, 世界 🦀";
// %%
(text.len(), text.chars().count())
// %%
text.chars().rev().collect::<String>()
// %%
text.char_indices().filter(|(_, c)| !c.is_ascii()).map(|(at, _)| at).collect::<Vec<_>>()
// %%
text.to_uppercase()
// %%
let größe = 3; größe * 2
// %%
größe
// %%
struct Straße { nummer: u32 }
let 家 = Straße { nummer: 7 };
// %%
家.nummer
// %%
'ß'.is_alphabetic() && '🦀'.len_utf8() == 4
// %%
b"bytes\xff\n"
// %%
r#"a "quoted" \n text"#
// %%
"tab\tquote\"back\\slash\u{1F600}"
// %%
String::from_utf8(vec![0xe2, 0x82, 0xac])?
// %%
String::from_utf8_lossy(&[b'a', 0xff]).into_owned()
// %% differs (failure): evcxr calls a panic a success
&text[0..3]
// %%
"a=1;b=2".split(';').filter_map(|part| part.split_once('=')).collect::<Vec<_>>()
// %%
"  padded\t".trim().repeat(2)
// %%
c"from C".to_bytes().len()
// %%
"line one
line two".lines().count()
// %%
let mut built = String::new();
for (index, word) in ["x", "y"].iter().enumerate() { if index > 0 { built += ", "; } built.push_str(word); }
built
// %%
char::from_digit(7, 10).map(|c| c as u32)
// %%
println!("日本\u{301}語 {}", "\u{202e}x\u{202c}".len());
// %%
"not a char boundary: ü".get(22..)
