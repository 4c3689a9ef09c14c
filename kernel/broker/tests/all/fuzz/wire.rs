//! The decoder of frames: whatever comes, it neither panics nor reserves what a length claims.

use bytes::Bytes;
use headwater_broker::wire::APIS;
use headwater_broker::wire::frame::{Decoded, decode};
use proptest::prelude::*;

use super::choices::Choices;
use super::{requests, run};

fn valid_frame(choices: &mut Choices<'_>) -> Vec<u8> {
    let spec = choices.one(APIS);
    let version = spec.oldest + choices.below((spec.newest - spec.oldest + 1) as usize) as i16;
    requests::frame(choices, &[], &[], spec, version)
}

/// Without this, the frames below might all be refused at their first field.
#[test]
fn fuzz_most_frames_that_follow_a_shape_are_requests() {
    let (read, all) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    run(5_000, 200, |bytes| {
        let frame = valid_frame(&mut Choices::by(&bytes));
        let decoded = decode(Bytes::from(frame.clone()));
        all.set(all.get() + 1);
        match decoded {
            Ok(Decoded::Request(_)) => read.set(read.get() + 1),
            // A null where none may be is the only reason.
            Ok(Decoded::UnknownApiVersions { .. }) => prop_assert!(false, "{frame:?}"),
            Err(_) => {}
        }
        Ok(())
    });
    assert!(
        read.get() * 2 > all.get(),
        "{} of {} frames",
        read.get(),
        all.get()
    );
}

#[test]
fn fuzz_changed_frames_are_read_or_refused() {
    run(20_000, 300, |bytes| {
        let mut choices = Choices::by(&bytes);
        let mut frame = valid_frame(&mut choices);
        for _ in 0..=choices.byte() % 4 {
            change(&mut choices, &mut frame);
        }
        let _ = decode(Bytes::from(frame));
        Ok(())
    });
}

#[test]
fn fuzz_frames_of_any_bytes_are_read_or_refused() {
    run(20_000, 300, |mut bytes| {
        // A key and a version that exist, most of the time.
        if bytes.len() > 12 && bytes[0] % 8 != 0 {
            let spec = &APIS[usize::from(bytes[1]) % APIS.len()];
            bytes[..2].copy_from_slice(&spec.key.to_be_bytes());
            let version = i16::from(bytes[3]) % (spec.newest + 1);
            bytes[2..4].copy_from_slice(&version.to_be_bytes());
            bytes[8..10].copy_from_slice(&[0xff; 2]);
        }
        let _ = decode(Bytes::from(bytes));
        Ok(())
    });
}

fn change(choices: &mut Choices<'_>, frame: &mut Vec<u8>) {
    let at = choices.below(frame.len());
    match choices.byte() % 5 {
        0 => frame[at] = choices.byte(),
        1 => frame.truncate(at),
        2 => frame.insert(at, choices.byte()),
        3 => {
            // Lengths that are far too high, in both of their forms.
            let lengths: [&[u8]; 5] = [
                &[0x7f, 0xff, 0xff, 0xff],
                &[0x7f, 0xff],
                &[0x80, 0, 0, 0],
                &[0xff, 0xff, 0xff, 0xff, 0x0f],
                &[0xff, 0xff, 0xff, 0xff, 0xff],
            ];
            let length = *choices.one(&lengths);
            let end = (at + length.len()).min(frame.len());
            frame.splice(at..end, length.iter().copied());
        }
        _ => {
            let end = (at + choices.below(40)).min(frame.len());
            let part = frame[at..end].to_vec();
            frame.splice(at..at, part);
        }
    }
    if frame.is_empty() {
        frame.push(0);
    }
}
