//! Values under numbers that the kernel hands back.

/// Values by number; a number is used again once its value is removed.
#[derive(Debug)]
pub(super) struct Slots<T> {
    slots: Vec<Option<T>>,
    free: Vec<usize>,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
        }
    }
}

impl<T> Slots<T> {
    /// Takes a value in and returns its number.
    pub(super) fn insert(&mut self, value: T) -> usize {
        let number = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        if let Some(slot) = self.slots.get_mut(number) {
            *slot = Some(value);
        }
        number
    }

    /// Returns the value under a number from the kernel, if there is one.
    pub(super) fn get(&self, number: u64) -> Option<&T> {
        let number = usize::try_from(number).ok()?;
        self.slots.get(number)?.as_ref()
    }

    /// Returns the value under a number.
    pub(super) fn get_mut(&mut self, number: usize) -> Option<&mut T> {
        self.slots.get_mut(number)?.as_mut()
    }

    /// Lets a value go.
    pub(super) fn remove(&mut self, number: usize) -> Option<T> {
        let value = self.slots.get_mut(number)?.take()?;
        self.free.push(number);
        Some(value)
    }
}
