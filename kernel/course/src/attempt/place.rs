//! Where a function is: in which object, and how far from its start.

use std::ffi::{CStr, CString};

use serde::{Deserialize, Serialize};

/// The place of a function, which is the same in every process that loads the object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// The path of a shared object; empty for the program itself.
    object: String,
    offset: usize,
}

/// Returns the place of a function of this process.
pub(super) fn of(function: *const ()) -> Option<Place> {
    let address = function as usize;
    let mut found = None;
    each_object(|object| {
        if object.holds(address) {
            found = Some(Place {
                object: object.name.clone(),
                offset: address - object.start,
            });
        }
    });
    found
}

/// Returns the function at a place, whose object is loaded if it is not yet there.
///
/// # Errors
/// What the loader said.
pub(super) fn find(place: &Place) -> Result<*const (), String> {
    if !place.object.is_empty() {
        let path = CString::new(place.object.as_str()).map_err(|error| error.to_string())?;
        // SAFETY: the path is a C string; the object is one that this program has loaded before.
        let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        if handle.is_null() {
            // SAFETY: after a failure this is a C string.
            return Err(unsafe { CStr::from_ptr(libc::dlerror()) }
                .to_string_lossy()
                .into_owned());
        }
    }
    let mut found = None;
    each_object(|object| {
        if object.name == place.object {
            found = Some((object.start + place.offset) as *const ());
        }
    });
    found.ok_or_else(|| format!("{} is not loaded", place.object))
}

/// One object of this process.
struct Object {
    name: String,
    start: usize,
    /// Where its parts begin and end, counted from its start.
    parts: Vec<(usize, usize)>,
}

impl Object {
    fn holds(&self, address: usize) -> bool {
        let within = address.wrapping_sub(self.start);
        self.parts
            .iter()
            .any(|(from, to)| (*from..*to).contains(&within))
    }
}

fn each_object(mut look: impl FnMut(&Object)) {
    extern "C" fn note(
        info: *mut libc::dl_phdr_info,
        _size: usize,
        objects: *mut libc::c_void,
    ) -> libc::c_int {
        // SAFETY: the loader passes a live description, and `objects` is the vector below.
        unsafe {
            let (info, objects) = (&*info, &mut *objects.cast::<Vec<Object>>());
            let name = match info.dlpi_name.is_null() {
                true => String::new(),
                false => CStr::from_ptr(info.dlpi_name)
                    .to_string_lossy()
                    .into_owned(),
            };
            let headers = std::slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum));
            let loaded = headers
                .iter()
                .filter(|header| header.p_type == libc::PT_LOAD);
            let parts = loaded.map(|header| {
                let from = header.p_vaddr as usize;
                (from, from + header.p_memsz as usize)
            });
            objects.push(Object {
                name,
                start: info.dlpi_addr as usize,
                parts: parts.collect(),
            });
        }
        0
    }
    let mut objects: Vec<Object> = Vec::new();
    // SAFETY: `note` has the signature that is asked for, and the vector outlives the call.
    unsafe { libc::dl_iterate_phdr(Some(note), (&raw mut objects).cast()) };
    objects.iter().for_each(&mut look);
}
