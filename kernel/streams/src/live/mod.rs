use crate::chart::Chart;
use crate::query::Query;
pub struct Live;
pub struct LiveChart;
impl LiveChart {
    pub fn new(_: Query, _: Chart) -> Self {
        LiveChart
    }
}
