//! A stored-only ZIP archive: sorted paths, fixed times, so that page and command line give the same bytes.
use super::ArtifactSet;

/// 1980-01-01 as a DOS date, the earliest there is.
const DATE: u16 = 0x21;
/// Version 2.0 of the format.
const VERSION: u16 = 20;
/// Names are UTF-8.
const FLAGS: u16 = 0x0800;
/// Made on Unix, so that the mode below counts.
const UNIX: u16 = 3 << 8;

/// All files of a set in one archive.
pub fn zip(set: &ArtifactSet) -> Vec<u8> {
    let mut files: Vec<(&str, &[u8])> = Vec::new();
    for file in &set.files {
        let path = file.kind.path();
        let at = files.partition_point(|(other, _)| *other < path);
        files.insert(at, (path, file.text.as_bytes()));
    }
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for (path, body) in &files {
        let offset = size(archive.len());
        let entry = entry(path, body);
        archive.extend_from_slice(b"PK\x03\x04");
        archive.extend_from_slice(&entry);
        archive.extend_from_slice(path.as_bytes());
        archive.extend_from_slice(body);
        directory.extend_from_slice(b"PK\x01\x02");
        put16(&mut directory, UNIX | VERSION);
        directory.extend_from_slice(&entry);
        // No comment, first disk, no internal attributes.
        directory.extend_from_slice(&[0; 6]);
        put32(&mut directory, mode(path) << 16);
        put32(&mut directory, offset);
        directory.extend_from_slice(path.as_bytes());
    }
    let (start, count) = (size(archive.len()), short(files.len()));
    archive.extend_from_slice(&directory);
    archive.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    put16(&mut archive, count);
    put16(&mut archive, count);
    put32(&mut archive, size(directory.len()));
    put32(&mut archive, start);
    put16(&mut archive, 0);
    archive
}

/// What the local header and the directory have in common.
fn entry(path: &str, body: &[u8]) -> Vec<u8> {
    let mut entry = Vec::new();
    for value in [VERSION, FLAGS, 0, 0, DATE] {
        put16(&mut entry, value);
    }
    put32(&mut entry, crc32(body));
    put32(&mut entry, size(body.len()));
    put32(&mut entry, size(body.len()));
    put16(&mut entry, short(path.len()));
    put16(&mut entry, 0);
    entry
}

/// A regular file; scripts may be run.
fn mode(path: &str) -> u32 {
    let is_script = std::path::Path::new(path).extension().is_some_and(|e| e == "sh");
    if is_script { 0o100_755 } else { 0o100_644 }
}

/// The polynomial of ZIP and PNG, bit by bit: the files are small.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            let shifted = crc >> 1;
            if crc & 1 == 1 {
                shifted ^ 0xEDB8_8320
            } else {
                shifted
            }
        })
    })
}

fn put16(out: &mut Vec<u8>, value: u16) {
    out.extend_from_slice(&value.to_le_bytes());
}

fn put32(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_le_bytes());
}

/// The texts of a plan are far below 4 GiB.
fn size(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn short(length: usize) -> u16 {
    u16::try_from(length).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_usual_one() {
        // The check value of CRC-32/ISO-HDLC.
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(crc32(b""), 0);
    }
}
