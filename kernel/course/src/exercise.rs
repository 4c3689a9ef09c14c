//! What an exercise is.

/// One exercise of a lesson.
#[derive(Debug, PartialEq)]
pub struct Exercise {
    /// For example `5.1 E3`: what a notebook, a grade sheet and [`hint`](crate::hint()) call it.
    pub id: &'static str,
    pub title: &'static str,
    /// Points for a correct answer.
    pub points: u32,
    /// A question, a pointer to the section, a skeleton.
    pub hints: [&'static str; 3],
    /// What to ask oneself once the answer is correct.
    pub next_question: &'static str,
}

impl Exercise {
    /// Returns how files name the lesson, for example `05-1` for `5.1 E3`.
    pub fn lesson_file(&self) -> String {
        let lesson = self.id.split(' ').next().unwrap_or(self.id);
        format!("0{}", lesson.replace('.', "-"))
    }
}

/// Every exercise that has a check.
pub const ALL: [&Exercise; 18] = [
    &crate::lesson_5_1::trace::EXERCISE,
    &crate::lesson_5_1::engines::EXERCISE,
    &crate::lesson_5_1::window_starts::EXERCISE,
    &crate::lesson_5_1::buffer::EXERCISE,
    &crate::lesson_5_1::once::EXERCISE,
    &crate::lesson_5_1::models::EXERCISE,
    &crate::lesson_5_2::consumer_loop::EXERCISE,
    &crate::lesson_5_3::joins::EXERCISE,
    &crate::lesson_5_4::polars_windows::EXERCISE,
    &crate::lesson_5_4::watermark_ledger::EXERCISE,
    &crate::lesson_5_4::output_modes::EXERCISE,
    &crate::lesson_5_4::incremental::EXERCISE,
    &crate::lesson_5_4::checkpoint::EXERCISE,
    &crate::lesson_5_4::health::EXERCISE,
    &crate::lesson_5_5::monitor::EXERCISE,
    &crate::lesson_5_6::retry::EXERCISE,
    &crate::lesson_5_7::join_tests::EXERCISE,
    &crate::lesson_5_8::capacity::EXERCISE,
];

/// Finds an exercise by its id; case and spaces do not matter.
pub fn find(id: &str) -> Option<&'static Exercise> {
    let plain = |text: &str| text.to_lowercase().replace([' ', '_', '.', '-'], "");
    ALL.into_iter()
        .find(|exercise| plain(exercise.id) == plain(id))
}
