//! Tells the signature of a closure, whose own type no cell can write.
//!
//! The compiler says the type of what these return; with it the kernel writes the type of a box
//! in which later cells can have the closure.

use std::marker::PhantomData;

macro_rules! signatures {
    ($($name:ident($($parameter:ident),*))*) => {$(
        /// Returns the signature of `closure` as a type.
        pub fn $name<$($parameter,)* R>(
            _closure: &impl FnMut($($parameter),*) -> R,
        ) -> PhantomData<fn($($parameter),*) -> R> {
            PhantomData
        }
    )*};
}

signatures! {
    signature_0()
    signature_1(A)
    signature_2(A, B)
    signature_3(A, B, C)
    signature_4(A, B, C, D)
    signature_5(A, B, C, D, E)
    signature_6(A, B, C, D, E, F)
}
