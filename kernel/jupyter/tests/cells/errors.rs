// Results, `?`, error types and what a failing cell says.
// %%
let parsed: i32 = "42".parse()?;
// %%
parsed
// %%
#[derive(Debug)]
enum ConfigError { Missing(String), Invalid { key: String, source: std::num::ParseIntError } }
impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self { ConfigError::Missing(key) => write!(f, "no {key}"), ConfigError::Invalid { key, .. } => write!(f, "bad {key}") }
    }
}
impl std::error::Error for ConfigError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> { match self { ConfigError::Invalid { source, .. } => Some(source), _ => None } }
}
// %%
fn port(text: Option<&str>) -> Result<u16, ConfigError> {
    let text = text.ok_or_else(|| ConfigError::Missing("port".into()))?;
    text.parse().map_err(|source| ConfigError::Invalid { key: "port".into(), source })
}
// %%
port(Some("8080"))?
// %%
port(Some("x")).unwrap_err().to_string()
// %%
port(None)
// %%
use std::error::Error;
port(Some("70000")).unwrap_err().source().map(|cause| cause.to_string())
// %%
fn any(text: &str) -> Result<f64, Box<dyn std::error::Error>> { let n: f64 = text.parse()?; if n < 0.0 { return Err("negative".into()); } Ok(n.sqrt()) }
(any("4")?, any("-1").unwrap_err().to_string())
// %%
let sum = ["1", "2", "x"].iter().map(|s| s.parse::<i32>()).sum::<Result<i32, _>>();
sum.is_err()
// %%
let first: Option<i32> = (|| { let n = [1].first().copied()?; Some(n + 1) })();
first
// %%
["1", "2"].iter().map(|s| s.parse::<u8>()).collect::<Result<Vec<_>, _>>()?
// %%
let before = "kept";
// %% differs (stderr, failure): evcxr calls a failing `?` a success and prints the error
println!("before");
let number: i32 = "not a number".parse()?;
println!("after");
// %%
before
// %% differs (stderr, failure): evcxr calls a failing `?` a success and prints the error
Err::<(), _>("plain text")?
// %% differs (stderr, failure): evcxr calls a failing `?` a success and prints the error
port(None)?;
// %%
std::fs::read_to_string("/no/such/file").map_err(|error| error.kind())
// %%
Ok::<i32, String>(3)
