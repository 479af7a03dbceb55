//! Variable-length numbers: zigzag, seven bits a byte, least significant first, as in protobuf.
//!
//! Writing is here; reading is [`Source`](crate::source::Source)'s, since it depends on where the
//! bytes come from.
//!
//! *Source*: the protocol guide, VARINT and VARLONG.

/// The longest encoding of 32 bits, in bytes.
pub(crate) const VARINT_SIZE_MAX: usize = 5;
/// The longest encoding of 64 bits, in bytes.
pub(crate) const VARLONG_SIZE_MAX: usize = 10;

/// Appends a 32-bit number.
pub(crate) fn put_varint(target: &mut Vec<u8>, number: i32) {
    // Sign extension keeps the zigzag form of 32 bits within 32 bits.
    put_varlong(target, i64::from(number));
}

/// Appends a 64-bit number.
pub(crate) fn put_varlong(target: &mut Vec<u8>, number: i64) {
    let mut rest = zigzag(number);
    while rest >= 0x80 {
        target.push(low_seven(rest) | 0x80);
        rest >>= 7;
    }
    target.push(low_seven(rest));
}

/// Returns how many bytes [`put_varlong`] appends.
pub(crate) fn varlong_size(number: i64) -> usize {
    let bits = 64 - (zigzag(number) | 1).leading_zeros();
    usize::try_from(bits.div_ceil(7)).expect("at most ten")
}

fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

/// Undoes zigzag on 64 bits.
#[inline]
pub(crate) fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

/// Undoes zigzag on 32 bits.
#[inline]
pub(crate) fn unzigzag_32(number: u32) -> i32 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

fn low_seven(number: u64) -> u8 {
    u8::try_from(number & 0x7f).expect("seven bits")
}
