//! Randomness: the kernel's on the real machine, the seed's in the simulator.

/// Draws 64 random bits.
pub fn random_u64() -> u64 {
    u64::from_le_bytes(random_bytes())
}

/// Draws an array of random bytes.
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    ambient!(fill_random(&mut bytes));
    bytes
}
