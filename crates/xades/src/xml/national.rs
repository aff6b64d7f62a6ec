//! The encodings of single countries and scripts, decoded with `encoding_rs`.
//!
//! `encoding_rs` decodes as browsers do. An XML document is canonicalised by libxml2 and by
//! Java, which differ from browsers and, in a few characters, from each other. Each encoding
//! here has the characters that glibc's iconv (which libxml2 uses) and Java 17 have in common;
//! octets that they decode differently are errors. `tests/tests/xml_encodings.rs` compares.

use encoding_rs::{DecoderResult, Encoding as Mapping};

use super::encoding::Encoding;

/// Why octets are rejected that have a character for some readers of XML.
const DISPUTED: &str = "octets that have no character in this encoding, or that XML readers decode \
     differently; convert the document to UTF-8";
/// Why octets are rejected that have no character.
const UNDEFINED: &str = "an octet that this encoding does not define";

/// An encoding that `encoding_rs` decodes.
pub(crate) struct National {
    pub(crate) encoding: Encoding,
    /// Its name in an XML declaration (IANA's preferred MIME name, where there is one).
    pub(crate) name: &'static str,
    mapping: &'static Mapping,
    form: Form,
}

/// The differences from `encoding_rs`.
enum Form {
    /// One octet for each character.
    Single {
        /// The octets from 0x80 to 0x9F.
        high_controls: HighControls,
        /// Octets that are rejected.
        refused: &'static [u8],
        /// Octets with another character.
        replaced: &'static [(u8, char)],
    },
    /// One octet for ASCII, several for most other characters.
    Multiple {
        /// Single octets that are rejected.
        refused_octets: &'static [u8],
        /// The lowest second octet of a pair.
        lowest_trail: u8,
        /// Ranges of pairs that are rejected.
        refused: &'static [(u16, u16)],
        /// Pairs with another character.
        replaced: &'static [(u16, char)],
        /// Sequences of more than two octets.
        longer: Longer,
    },
}

/// The octets from 0x80 to 0x9F of an encoding with single octets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum HighControls {
    /// As `encoding_rs` decodes them.
    AsMapped,
    /// Control characters: `encoding_rs` decodes an extension of this encoding.
    All,
    /// Those that `encoding_rs` decodes as control characters are not defined.
    None,
}

/// The sequences of more than two octets of an encoding.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Longer {
    None,
    /// Three octets after 0x8F (JIS X 0212).
    EucJp,
    /// Four octets, of which the second is a digit.
    Gb18030,
}

const fn single(
    encoding: Encoding,
    name: &'static str,
    mapping: &'static Mapping,
    high_controls: HighControls,
) -> National {
    with_differences(encoding, name, mapping, high_controls, &[], &[])
}

const fn with_differences(
    encoding: Encoding,
    name: &'static str,
    mapping: &'static Mapping,
    high_controls: HighControls,
    refused: &'static [u8],
    replaced: &'static [(u8, char)],
) -> National {
    National { encoding, name, mapping, form: Form::Single { high_controls, refused, replaced } }
}

/// glibc composes these marks with the letter before them; Java does not.
const MARKS_1255: &[u8] = &[0xC4, 0xC7, 0xC8, 0xC9, 0xCA, 0xCC, 0xCF, 0xD1, 0xD2];
const MARKS_1258: &[u8] = &[0xCC, 0xD2, 0xDE, 0xEC, 0xF2];
/// The box-drawing characters of KOI8-U (RFC 2319), which browsers replace by letters.
const BOXES: &[(u8, char)] = &[(0xAE, '╝'), (0xBE, '╬')];
/// JIS X 0208 as in Unicode's table of it, and not as in Windows.
const SHIFT_JIS: &[(u16, char)] =
    &[(0x8160, '〜'), (0x8161, '‖'), (0x817C, '−'), (0x8191, '¢'), (0x8192, '£'), (0x81CA, '¬')];
const EUC_JP: &[(u16, char)] =
    &[(0xA1C1, '〜'), (0xA1C2, '‖'), (0xA1DD, '−'), (0xA1F1, '¢'), (0xA1F2, '£'), (0xA2CC, '¬')];
const GB2312: &[(u16, char)] = &[(0xA1A4, '・'), (0xA1AA, '―')];
/// GBK without the characters that GB 2312 does not have.
const NOT_GB2312: &[(u16, u16)] = &[
    (0x8140, 0xA0FE),
    (0xA2A1, 0xA2B0),
    (0xA2E3, 0xA2E4),
    (0xA2EF, 0xA2F0),
    (0xA2FD, 0xA2FE),
    (0xA4F4, 0xA4FE),
    (0xA5F7, 0xA5FE),
    (0xA6B9, 0xA6C0),
    (0xA6D9, 0xA6FE),
    (0xA7C2, 0xA7D0),
    (0xA7F2, 0xA7FE),
    (0xA8BB, 0xA8C4),
    (0xA8EA, 0xA9A3),
    (0xA9F0, 0xAFFE),
    (0xD7FA, 0xD7FE),
    (0xF840, 0xFEFE),
];
const NOT_GBK: &[(u16, u16)] = &[
    (0xA140, 0xA1A0),
    (0xA240, 0xA2A0),
    (0xA2AB, 0xA2B0),
    (0xA2E3, 0xA2E4),
    (0xA2EF, 0xA2F0),
    (0xA2FD, 0xA3A0),
    (0xA440, 0xA4A0),
    (0xA4F4, 0xA5A0),
    (0xA5F7, 0xA6A0),
    (0xA6B9, 0xA6C0),
    (0xA6D9, 0xA6DF),
    (0xA6EC, 0xA6ED),
    (0xA6F3, 0xA6F3),
    (0xA6F6, 0xA7A0),
    (0xA7C2, 0xA7D0),
    (0xA7F2, 0xA7FE),
    (0xA892, 0xA892),
    (0xA896, 0xA8A0),
    (0xA8BC, 0xA8BC),
    (0xA8BF, 0xA8BF),
    (0xA8C1, 0xA8C4),
    (0xA8EA, 0xA8FE),
    (0xA958, 0xA958),
    (0xA95B, 0xA95B),
    (0xA95D, 0xA95F),
    (0xA989, 0xA995),
    (0xA997, 0xA9A3),
    (0xA9F0, 0xA9FE),
    (0xAAA1, 0xAAFE),
    (0xABA1, 0xABFE),
    (0xACA1, 0xACFE),
    (0xADA1, 0xADFE),
    (0xAEA1, 0xAEFE),
    (0xAFA1, 0xAFFE),
    (0xD7FA, 0xD7FE),
    (0xF8A1, 0xF8FE),
    (0xF9A1, 0xF9FE),
    (0xFAA1, 0xFAFE),
    (0xFBA1, 0xFBFE),
    (0xFCA1, 0xFCFE),
    (0xFDA1, 0xFDFE),
    (0xFE50, 0xFEFE),
];
/// The pairs that the editions of 2000, 2005 and 2022 decode differently.
const EDITIONS_OF_GB18030: &[(u16, u16)] = &[
    (0xA3A0, 0xA3A0),
    (0xA6D9, 0xA6DF),
    (0xA6EC, 0xA6ED),
    (0xA6F3, 0xA6F3),
    (0xA8BC, 0xA8BC),
    (0xFE51, 0xFE53),
    (0xFE59, 0xFE59),
    (0xFE61, 0xFE61),
    (0xFE66, 0xFE67),
    (0xFE6C, 0xFE6D),
    (0xFE76, 0xFE76),
    (0xFE7E, 0xFE7E),
    (0xFE90, 0xFE91),
    (0xFEA0, 0xFEA0),
];
/// The sequences of four octets that they decode differently.
const EDITIONS_OF_LONG_GB18030: &[(u32, u32)] =
    &[(0x8135_F437, 0x8135_F438), (0x8235_9037, 0x8235_9134), (0x8431_8236, 0x8431_8335)];
/// Punctuation that differs from reader to reader, kana and lines that only some have (ETEN),
/// and the extensions of Hong Kong.
const NOT_BIG5: &[(u16, u16)] = &[
    (0x8140, 0xA0FE),
    (0xA145, 0xA145),
    (0xA14E, 0xA14E),
    (0xA15A, 0xA15A),
    (0xA1C2, 0xA1C3),
    (0xA1C5, 0xA1C5),
    (0xA1E3, 0xA1E3),
    (0xA1F2, 0xA1F3),
    (0xA1FE, 0xA242),
    (0xA244, 0xA244),
    (0xA246, 0xA247),
    (0xA3C0, 0xA3E1),
    (0xC6A1, 0xC8FE),
    (0xF9D6, 0xFEFE),
];

use HighControls::{All, AsMapped};

/// The encodings, in the order of their names.
static ENCODINGS: [National; 36] = [
    National {
        encoding: Encoding::Big5,
        name: "Big5",
        mapping: encoding_rs::BIG5,
        form: Form::Multiple {
            refused_octets: &[],
            lowest_trail: 0x40,
            refused: NOT_BIG5,
            replaced: &[],
            longer: Longer::None,
        },
    },
    National {
        encoding: Encoding::EucJp,
        name: "EUC-JP",
        mapping: encoding_rs::EUC_JP,
        form: Form::Multiple {
            refused_octets: &[],
            lowest_trail: 0xA1,
            refused: &[(0xA1BD, 0xA1BD), (0xADA1, 0xADFE), (0xF9A1, 0xFEFE)],
            replaced: EUC_JP,
            longer: Longer::EucJp,
        },
    },
    National {
        encoding: Encoding::EucKr,
        name: "EUC-KR",
        mapping: encoding_rs::EUC_KR,
        form: Form::Multiple {
            refused_octets: &[],
            lowest_trail: 0xA1,
            refused: &[(0x8141, 0xA0FE)],
            replaced: &[],
            longer: Longer::None,
        },
    },
    National {
        encoding: Encoding::Gb18030,
        name: "GB18030",
        mapping: encoding_rs::GB18030,
        form: Form::Multiple {
            refused_octets: &[0x80],
            lowest_trail: 0x40,
            refused: EDITIONS_OF_GB18030,
            replaced: &[],
            longer: Longer::Gb18030,
        },
    },
    National {
        encoding: Encoding::Gb2312,
        name: "GB2312",
        mapping: encoding_rs::GBK,
        form: Form::Multiple {
            refused_octets: &[0x80],
            lowest_trail: 0xA1,
            refused: NOT_GB2312,
            replaced: GB2312,
            longer: Longer::None,
        },
    },
    National {
        encoding: Encoding::Gbk,
        name: "GBK",
        mapping: encoding_rs::GBK,
        form: Form::Multiple {
            refused_octets: &[0x80],
            lowest_trail: 0x40,
            refused: NOT_GBK,
            replaced: &[],
            longer: Longer::None,
        },
    },
    single(Encoding::Ibm866, "IBM866", encoding_rs::IBM866, AsMapped),
    single(Encoding::Iso8859_2, "ISO-8859-2", encoding_rs::ISO_8859_2, AsMapped),
    single(Encoding::Iso8859_3, "ISO-8859-3", encoding_rs::ISO_8859_3, AsMapped),
    single(Encoding::Iso8859_4, "ISO-8859-4", encoding_rs::ISO_8859_4, AsMapped),
    single(Encoding::Iso8859_5, "ISO-8859-5", encoding_rs::ISO_8859_5, AsMapped),
    single(Encoding::Iso8859_6, "ISO-8859-6", encoding_rs::ISO_8859_6, AsMapped),
    single(Encoding::Iso8859_7, "ISO-8859-7", encoding_rs::ISO_8859_7, AsMapped),
    single(Encoding::Iso8859_8, "ISO-8859-8", encoding_rs::ISO_8859_8, AsMapped),
    single(Encoding::Iso8859_9, "ISO-8859-9", encoding_rs::WINDOWS_1254, All),
    single(Encoding::Iso8859_10, "ISO-8859-10", encoding_rs::ISO_8859_10, AsMapped),
    single(Encoding::Iso8859_11, "ISO-8859-11", encoding_rs::WINDOWS_874, All),
    single(Encoding::Iso8859_13, "ISO-8859-13", encoding_rs::ISO_8859_13, AsMapped),
    single(Encoding::Iso8859_14, "ISO-8859-14", encoding_rs::ISO_8859_14, AsMapped),
    single(Encoding::Iso8859_15, "ISO-8859-15", encoding_rs::ISO_8859_15, AsMapped),
    single(Encoding::Iso8859_16, "ISO-8859-16", encoding_rs::ISO_8859_16, AsMapped),
    single(Encoding::Koi8R, "KOI8-R", encoding_rs::KOI8_R, AsMapped),
    with_differences(Encoding::Koi8U, "KOI8-U", encoding_rs::KOI8_U, AsMapped, &[], BOXES),
    National {
        encoding: Encoding::ShiftJis,
        name: "Shift_JIS",
        mapping: encoding_rs::SHIFT_JIS,
        form: Form::Multiple {
            // libxml2 reads the backslash and the tilde of ASCII as a yen sign and an overline.
            refused_octets: &[0x5C, 0x7E, 0x80],
            lowest_trail: 0x40,
            refused: &[(0x815C, 0x815C), (0x8740, 0x879C), (0xED40, 0xFCFC)],
            replaced: SHIFT_JIS,
            longer: Longer::None,
        },
    },
    with_differences(
        Encoding::Tis620,
        "TIS-620",
        encoding_rs::WINDOWS_874,
        HighControls::None,
        &[0x80, 0x85, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0xA0],
        &[],
    ),
    single(Encoding::Windows874, "windows-874", encoding_rs::WINDOWS_874, HighControls::None),
    single(Encoding::Windows1250, "windows-1250", encoding_rs::WINDOWS_1250, HighControls::None),
    single(Encoding::Windows1251, "windows-1251", encoding_rs::WINDOWS_1251, HighControls::None),
    single(Encoding::Windows1252, "windows-1252", encoding_rs::WINDOWS_1252, HighControls::None),
    single(Encoding::Windows1253, "windows-1253", encoding_rs::WINDOWS_1253, HighControls::None),
    single(Encoding::Windows1254, "windows-1254", encoding_rs::WINDOWS_1254, HighControls::None),
    with_differences(
        Encoding::Windows1255,
        "windows-1255",
        encoding_rs::WINDOWS_1255,
        HighControls::None,
        MARKS_1255,
        &[],
    ),
    single(Encoding::Windows1256, "windows-1256", encoding_rs::WINDOWS_1256, HighControls::None),
    single(Encoding::Windows1257, "windows-1257", encoding_rs::WINDOWS_1257, HighControls::None),
    with_differences(
        Encoding::Windows1258,
        "windows-1258",
        encoding_rs::WINDOWS_1258,
        HighControls::None,
        MARKS_1258,
        &[],
    ),
    National {
        encoding: Encoding::Windows31J,
        name: "windows-31J",
        mapping: encoding_rs::SHIFT_JIS,
        form: Form::Multiple {
            refused_octets: &[0x80],
            lowest_trail: 0x40,
            refused: &[],
            replaced: &[],
            longer: Longer::None,
        },
    },
];

/// The characters of the octets from 0x80 on.
pub(crate) type HighHalf = [Option<char>; 128];

/// A character and the number of its octets; or `None` if the octets end inside it; or why
/// there is none.
pub(crate) type DecodedOne = Result<Option<(char, usize)>, &'static str>;

impl National {
    pub(crate) fn of(encoding: Encoding) -> Option<&'static Self> {
        ENCODINGS.iter().find(|national| national.encoding == encoding)
    }

    /// The encoding of this name in an XML declaration. Case does not matter.
    pub(crate) fn named(name: &[u8]) -> Option<&'static Self> {
        ENCODINGS.iter().find(|national| name.eq_ignore_ascii_case(national.name.as_bytes()))
    }

    /// Whether an octet of printable ASCII does not stand for itself.
    pub(crate) fn refuses_ascii(&self, octet: u8) -> bool {
        match &self.form {
            Form::Single { .. } => false,
            Form::Multiple { refused_octets, .. } => refused_octets.contains(&octet),
        }
    }

    /// The characters of all octets, if each character has one octet.
    pub(crate) fn high_half(&self) -> Option<HighHalf> {
        let Form::Single { high_controls, refused, replaced } = self.form else { return None };
        let mut all = [None; 128];
        for (octet, place) in (0x80..=0xFF).zip(&mut all) {
            if refused.contains(&octet) {
                continue;
            }
            let control = octet < 0xA0;
            let mapped = self.mapped(&[octet]);
            *place = match replaced.iter().find(|(replaced, _)| *replaced == octet) {
                Some((_, c)) => Some(*c),
                None if control && high_controls == All => Some(char::from(octet)),
                None => mapped.filter(|c| {
                    !(control && high_controls == HighControls::None && *c == char::from(octet))
                }),
            };
        }
        Some(all)
    }

    /// The first character of an encoding in which characters have several octets.
    pub(crate) fn decode_one(&self, octets: &[u8]) -> DecodedOne {
        let Form::Multiple { refused_octets, lowest_trail, refused, replaced, longer } = &self.form
        else {
            return Err(UNDEFINED);
        };
        let Some(&lead) = octets.first() else { return Ok(None) };
        if refused_octets.contains(&lead) {
            return Err(DISPUTED);
        }
        if let Some(c) = self.mapped(&[lead]) {
            return Ok(Some((c, 1)));
        }
        let Some(&trail) = octets.get(1) else { return Ok(None) };
        let len = match longer {
            Longer::EucJp if lead == 0x8F => 3,
            Longer::Gb18030 if trail.is_ascii_digit() => 4,
            _ => 2,
        };
        let Some(sequence) = octets.get(..len) else { return Ok(None) };
        let number = sequence.iter().fold(0u32, |number, octet| number << 8 | u32::from(*octet));
        if let (2, Ok(pair)) = (len, u16::try_from(number)) {
            // The half-width katakana of EUC-JP are pairs, too.
            if trail < *lowest_trail || within(refused, pair) {
                return Err(DISPUTED);
            }
            if let Some((_, c)) = replaced.iter().find(|(replaced, _)| *replaced == pair) {
                return Ok(Some((*c, len)));
            }
        } else if *longer == Longer::Gb18030 && within(EDITIONS_OF_LONG_GB18030, number) {
            return Err(DISPUTED);
        }
        self.mapped(sequence).map(|c| Some((c, len))).ok_or(DISPUTED)
    }

    /// The only character of these octets, as `encoding_rs` decodes them.
    fn mapped(&self, octets: &[u8]) -> Option<char> {
        let mut decoder = self.mapping.new_decoder_without_bom_handling();
        let mut text = [0; 16];
        let (result, read, written) =
            decoder.decode_to_utf8_without_replacement(octets, &mut text, true);
        if result != DecoderResult::InputEmpty || read != octets.len() {
            return None;
        }
        let mut characters = std::str::from_utf8(text.get(..written)?).ok()?.chars();
        characters.next().filter(|_| characters.next().is_none())
    }

    /// Encodes a character that is not ASCII. `None` if the encoding does not have it.
    pub(crate) fn encode(&self, c: char) -> Option<Vec<u8>> {
        if let Some(all) = self.high_half() {
            let mut octets = (0x80..=0xFF).zip(all);
            return octets.find(|(_, of)| *of == Some(c)).map(|(octet, _)| vec![octet]);
        }
        let Form::Multiple { replaced, longer, .. } = &self.form else { return None };
        if let Some((pair, _)) = replaced.iter().find(|(_, of)| *of == c) {
            return Some(pair.to_be_bytes().to_vec());
        }
        let is_same = |octets: &[u8]| self.decode_one(octets) == Ok(Some((c, octets.len())));
        let mut utf8 = [0; 4];
        let (octets, _, unmappable) = self.mapping.encode(c.encode_utf8(&mut utf8));
        if !unmappable && is_same(&octets) {
            return Some(octets.into_owned());
        }
        // `encoding_rs` decodes JIS X 0212, and does not encode it.
        let rows = (0xA1..=0xFE).filter(|_| *longer == Longer::EucJp);
        let mut longer = rows.flat_map(|row| (0xA1..=0xFE).map(move |cell| vec![0x8F, row, cell]));
        longer.find(|octets| is_same(octets))
    }
}

fn within<N: PartialOrd + Copy>(ranges: &[(N, N)], number: N) -> bool {
    ranges.iter().any(|(from, to)| (*from..=*to).contains(&number))
}
