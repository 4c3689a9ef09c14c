#[derive(Clone)]
pub struct Chart;
pub struct Picture;
