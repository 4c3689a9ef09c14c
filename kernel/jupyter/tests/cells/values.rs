// Numbers, texts, tuples and how they are shown.
// %%
1 + 1
// %%
7 / 2
// %%
-7 % 3
// %%
7.0 / 2.0
// %%
1e21
// %%
(1u8, -2i64, 'c', true, "text")
// %%
[[1, 2], [3, 4]]
// %%
0xff_u16 << 4 | 0b1010
// %%
i32::MAX.wrapping_add(1)
// %%
255u8.checked_add(1)
// %%
(f64::NAN == f64::NAN, f64::INFINITY, -0.0_f64)
// %%
u128::MAX
// %%
()
// %%
300i32 as u8
// %%
(1..=4, ..3, 2..)
// %%
Some(Some(3)).flatten()
// %%
std::time::Duration::from_millis(1500)
