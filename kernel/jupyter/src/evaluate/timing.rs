//! Where a cell's time went.

use std::fmt;
use std::time::Duration;

/// The parts of one cell's time; `:timing` shows them.
#[derive(Debug, Default, Clone, Copy)]
pub struct Timing {
    /// Taking the cell apart.
    pub prepare: Duration,
    pub compile: Duration,
    pub compiles: u32,
    pub link: Duration,
    /// Loading it, running it, and passing on all that it printed.
    pub run: Duration,
}

impl fmt::Display for Timing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |time: Duration| time.as_secs_f64() * 1000.0;
        write!(
            f,
            "prepare {:.1} ms, compile {:.0} ms ({} call{} of rustc), link {:.0} ms, load and run {:.0} ms",
            ms(self.prepare),
            ms(self.compile),
            self.compiles,
            if self.compiles == 1 { "" } else { "s" },
            ms(self.link),
            ms(self.run)
        )
    }
}
