// Box, Rc, RefCell, Cell, Weak, Cow, Pin.
// %%
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
// %%
let shared = Rc::new(RefCell::new(vec![1]));
let other = Rc::clone(&shared);
// %%
other.borrow_mut().push(2);
// %%
(shared, Rc::strong_count(&other))
// %%
let cell = Cell::new(5); cell.set(cell.get() + 1);
// %%
cell.get()
// %%
#[derive(Debug)] struct Node { name: String, parent: RefCell<Weak<Node>>, children: RefCell<Vec<Rc<Node>>> }
let root = Rc::new(Node { name: "root".into(), parent: Default::default(), children: Default::default() });
let leaf = Rc::new(Node { name: "leaf".into(), parent: RefCell::new(Rc::downgrade(&root)), children: Default::default() });
root.children.borrow_mut().push(leaf.clone());
// %%
leaf.parent.borrow().upgrade().map(|parent| parent.name.clone())
// %%
drop(root); leaf.parent.borrow().upgrade().is_none()
// %%
fn clean(text: &str) -> Cow<'_, str> { if text.contains(' ') { Cow::Owned(text.replace(' ', "_")) } else { Cow::Borrowed(text) } }
(matches!(clean("ab"), Cow::Borrowed(_)), clean("a b"))
// %%
let list: Box<dyn std::any::Any> = Box::new(3u16);
// %%
list.downcast_ref::<u16>()
// %%
shared.borrow().len()
// %%
let slice: Box<[i32]> = vec![1, 2].into_boxed_slice(); slice.len()
// %%
let counted: Rc<str> = Rc::from("text"); counted.to_uppercase()
// %%
let mut value = 5; let pointer = &raw mut value; unsafe { *pointer += 1; } value
// %%
let already = shared.borrow_mut(); shared.try_borrow().is_err()
