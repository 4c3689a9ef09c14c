// Futures written by hand, so that no crate is needed on either side.
// %%
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
// %%
fn run<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop { if let Poll::Ready(value) = future.as_mut().poll(&mut context) { return value; } }
}
// %%
async fn add(a: i32, b: i32) -> i32 { a + b }
run(add(1, 2))
// %%
struct Countdown(u32);
impl Future for Countdown {
    type Output = &'static str;
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<&'static str> {
        if self.0 == 0 { Poll::Ready("lift-off") } else { self.0 -= 1; Poll::Pending }
    }
}
run(Countdown(3))
// %%
run(async { let mut sum = 0; for n in 0..4 { sum += add(n, 1).await; } sum })
// %%
let name = String::from("moved in");
run(async move { name.len() })
// %%
let futures: Vec<Pin<Box<dyn Future<Output = i32>>>> = vec![Box::pin(add(1, 1)), Box::pin(async { 7 })];
// %%
futures.into_iter().map(run).collect::<Vec<_>>()
// %%
async fn fails() -> Result<i32, String> { Err("inside".to_string()) }
run(async { let n = fails().await?; Ok::<i32, String>(n) })
// %% differs (result, stderr, failure): evcxr refuses the cell; here it runs, and says that the closure cannot be kept
let later = async |n: i32| n * 2;
run(later(4))
// %%
trait Fetch { fn fetch(&self) -> impl Future<Output = String>; }
struct Local; impl Fetch for Local { async fn fetch(&self) -> String { "fetched".to_string() } }
run(Local.fetch())
