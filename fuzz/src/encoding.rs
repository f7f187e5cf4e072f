//! Encodings of the wire, each beside a reading of it that is as plain as can be.

use tower_webhook::encoding::{Encoding, TextEncoding};

/// Hexadecimal: two digits a byte, in any case.
pub fn hex(input: &[u8]) {
    compare(Encoding::Hex, input, plain_hex(input));
}

/// Base64: four letters for three bytes, padded, with no bit left over.
pub fn base64(input: &[u8]) {
    compare(Encoding::Base64, input, plain_base64(input));
}

fn compare(encoding: Encoding, input: &[u8], plain: Option<Vec<u8>>) {
    let decoded = encoding.decode(input).ok();
    assert_eq!(decoded, plain, "{encoding:?} {input:?}");
    arrays::<12>(encoding, input, plain.as_deref());
    arrays::<32>(encoding, input, plain.as_deref());
    let text = encoding.encode(input);
    assert_eq!(encoding.decode(text.as_bytes()).as_deref(), Ok(input), "{text}");
}

fn arrays<const N: usize>(encoding: Encoding, input: &[u8], plain: Option<&[u8]>) {
    let exact = plain.filter(|bytes| bytes.len() == N);
    assert_eq!(encoding.decode_array::<N>(input).ok().as_ref().map(|bytes| &bytes[..]), exact, "{input:?}");
}

fn plain_hex(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    text.chunks(2).map(|pair| Some(digit(pair[0])? << 4 | digit(*pair.get(1)?)?)).collect()
}

fn plain_base64(text: &[u8]) -> Option<Vec<u8>> {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letters = text.strip_suffix(b"==").or(text.strip_suffix(b"=")).unwrap_or(text);
    if text.len() % 4 != 0 || text.len() - letters.len() != (4 - letters.len() % 4) % 4 {
        return None;
    }
    let mut bits = Vec::new();
    for letter in letters {
        let value = LETTERS.iter().position(|known| known == letter)?;
        bits.extend((0..6).rev().map(|bit| value >> bit & 1));
    }
    let whole = bits.len() / 8 * 8;
    let byte = |bits: &[usize]| bits.iter().fold(0, |byte, bit| byte << 1 | u8::from(*bit == 1));
    bits[whole..].iter().all(|bit| *bit == 0).then(|| bits[..whole].chunks(8).map(byte).collect())
}

/// UTF-16, little end first, with or without a mark in front.
pub fn utf16(input: &[u8]) {
    let units: Vec<u16> = input.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    let units = units.strip_prefix(&[0xFEFF]).unwrap_or(&units);
    let plain = if input.len() % 2 == 0 { String::from_utf16(units).ok() } else { None };
    let read = TextEncoding::Utf16Le.to_utf8(input.to_vec()).ok();
    assert_eq!(read.as_deref(), plain.as_deref().map(str::as_bytes), "{input:?}");
    if let Some(text) = read {
        let written = TextEncoding::Utf16Le.from_utf8(text).expect("it is text");
        let mark = usize::from(input.starts_with(&[0xFF, 0xFE])) * 2;
        assert_eq!(written, &input[mark..]);
    }
}
