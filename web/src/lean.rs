//! What follows the state, behind one box: Leptos compiles itself anew for every closure that it is given as a type.
use crate::controls::{Part, part};
use leptos::{
    prelude::*,
    reactive::graph::{Observer, Subscriber},
};
use std::{any::Any, sync::Arc};

/// Whatever runs now is forgotten by what it reads, once it is built anew or taken away. Leptos leaves it there, and keeps
/// its memory, for as long as what it reads lives.
pub(crate) fn let_go() {
    if let Some(reader) = Observer::get() {
        on_cleanup(move || reader.clear_sources(&reader));
    }
}

/// Runs soon, and again when what it read has changed.
pub(crate) fn effect(run: impl FnMut() + 'static) {
    fn boxed(mut run: Box<dyn FnMut()>) {
        Effect::new(move |_: Option<()>| {
            let_go();
            run();
        });
    }
    boxed(Box::new(run));
}

/// A value that follows the state.
pub(crate) fn memo<T>(read: impl Fn() -> T + Send + Sync + 'static) -> Memo<T>
where
    T: PartialEq + Send + Sync + 'static,
{
    fn boxed<T>(read: Box<dyn Fn() -> T + Send + Sync>) -> Memo<T>
    where
        T: PartialEq + Send + Sync + 'static,
    {
        Memo::new(move |_| {
            let_go();
            read()
        })
    }
    boxed(Box::new(read))
}

/// A list of which only those items are built again that changed. Building one again takes all its attributes away and gives
/// them anew, and the browser styles and lays it out anew.
pub(crate) fn each<T: PartialEq + Send + Sync + 'static>(
    read: impl Fn() -> Vec<T> + Send + Sync + 'static,
    build: impl Fn(&T) -> AnyView + Send + Sync + 'static,
) -> Part {
    let read = move || read().into_iter().map(|item| Item(Arc::new(item))).collect();
    let build = move |Item(item): &Item| item.as_any().downcast_ref().map(&build).into_any();
    items(Box::new(read), Arc::new(build))
}

fn items(
    read: Box<dyn Fn() -> Vec<Item> + Send + Sync>,
    build: Arc<dyn Fn(&Item) -> AnyView + Send + Sync>,
) -> Part {
    let all = memo(read);
    let count = memo(move || all.with(Vec::len));
    part(move || {
        let one = |at| {
            let build = build.clone();
            let item = memo(move || all.with(|all| all.get(at).cloned()));
            part(move || item.with(|item| item.as_ref().map(|item| build(item)).into_any()))
        };
        (0..count.get()).map(one).collect_view().into_any()
    })
}

/// One of a list, of whatever type.
#[derive(Clone)]
struct Item(Arc<dyn Same>);

impl PartialEq for Item {
    fn eq(&self, other: &Self) -> bool {
        self.0.is_same(other.0.as_any())
    }
}

trait Same: Send + Sync {
    fn as_any(&self) -> &dyn Any;
    fn is_same(&self, other: &dyn Any) -> bool;
}

impl<T: PartialEq + Send + Sync + 'static> Same for T {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn is_same(&self, other: &dyn Any) -> bool {
        other.downcast_ref() == Some(self)
    }
}
