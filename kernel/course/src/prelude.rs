//! The names that a cell needs from this crate.

pub use crate::generators::Generated;
pub use crate::hint::hint;
pub use crate::learner::learner;
pub use crate::lesson_5_1::{
    check_5_1_e1, check_5_1_e2, check_5_1_e3, check_5_1_e4, check_5_1_e5, check_5_1_e6,
};
pub use crate::lesson_5_2::{
    Killed, LabConsumer, LabProducer, MockConsumer, MockSink, Polled, Stage, Tape, check_5_2_e3,
    gauge_readings,
};
pub use crate::lesson_5_3::{
    GroupLab, JoinRecord, JoinRow, Lane, Till, both_readers, check_5_3_e5, crash_matrix,
    join_script, join_strip,
};
pub use crate::lesson_5_4::{
    BatchEngine, BatchReport, BatchTable, Changes, CommitTime, DStream, Disk, Health, Ledger,
    MicroBatch, Outage, ProgressRecord, QueryKind, SinkKind, SinkTo, SparkRecording, Stopped,
    check_5_4_e1, check_5_4_e2, check_5_4_e3, check_5_4_e4, check_5_4_e5, check_5_4_e6,
    empty_state, gauge_script, watermark_rules, window_strip,
};
pub use crate::lesson_5_5::{
    Cusum, Detector, DetectorBoard, HonestChart, LabService, Metrics, MetricsServer, PlantedRide,
    Score, Scrape, check_5_5_e5, scrape,
};
pub use crate::lesson_5_6::{
    ErrorPolicy, Letter, LetterHeaders, LetterTopic, OrderFault, Outcomes, PolicyRun, RetryDesk,
    Shop, WritePath, check_5_6_e4, hot_readings, order_rows, policy_picture,
};
pub use crate::lesson_5_7::{
    JoinBench, JoinUnderTest, Joined, OracleStrip, check_5_7_e2, delayed_readings,
};
pub use crate::lesson_5_8::{CapacityPlan, Req, StormHour, check_5_8_e1, flow_picture};
pub use crate::outcome::Outcome;
pub use crate::progress::{LearnerProgress, progress};
