//! Where capabilities put the contracts they offer and find those they need.
//! It knows contracts by their type only.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, RwLock};

/// The contracts offered in one platform. Cheap to clone.
#[derive(Clone, Default)]
pub struct Contracts(Arc<RwLock<HashMap<TypeId, Box<dyn Any + Send + Sync>>>>);

impl Contracts {
    /// Offers an implementation of contract `T`, replacing an earlier one.
    pub fn offer<T: ?Sized + Send + Sync + 'static>(&self, implementation: Arc<T>) {
        let mut offered = self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        offered.insert(TypeId::of::<T>(), Box::new(implementation));
    }

    /// The implementation of contract `T`, if a capability offers one.
    pub fn get<T: ?Sized + Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        let offered = self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        offered.get(&TypeId::of::<T>())?.downcast_ref::<Arc<T>>().cloned()
    }
}
