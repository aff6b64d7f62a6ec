//! Why the appearance of a signature cannot be made.

/// Why an appearance cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum AppearanceFault {
    /// The border has no width, or fills the rectangle.
    #[error("the border has no width, or is as wide as the rectangle")]
    BorderWidth,
    /// A CMYK image in a document that claims to be PDF/A.
    #[error("the document claims to be PDF/A, which does not take CMYK images: convert it to RGB")]
    CmykInPdfA,
    /// Control characters, or characters that override the direction of text.
    #[error("the text has control characters or overrides of its direction")]
    ControlCharacters,
    /// Neither text nor image nor QR code.
    #[error("it has neither text nor image nor QR code")]
    Empty,
    /// The caller passed a rectangle for a field that has one.
    #[error("an existing field has its own rectangle: give none")]
    ExistingField,
    /// The font has outlines of another kind.
    #[error("the font needs TrueType or CFF outlines (.ttf, .otf, .ttc)")]
    FontOutlines,
    /// The font file is too long.
    #[error("the font has more than 32 MiB")]
    FontLen,
    /// The font has no glyphs.
    #[error("the font has no glyphs")]
    FontWithoutGlyphs,
    /// The image cannot be compressed.
    #[error("the image cannot be compressed")]
    ImageCompression,
    /// The image takes too much space in the document.
    #[error("the image takes more than 2 MiB in the document: make it smaller")]
    ImageEmbeddedLen,
    /// The image is neither PNG nor JPEG.
    #[error("the image is neither PNG nor JPEG")]
    ImageFormat,
    /// The image file is too long.
    #[error("the image has more than 8 MiB")]
    ImageLen,
    /// The image has no pixels or too many.
    #[error("the image has no pixels or more than 16,777,216")]
    ImagePixels,
    /// The JPEG has other colours than 8-bit grey, RGB or CMYK.
    #[error("the JPEG is not 8-bit grey, RGB or CMYK")]
    JpegColours,
    /// The JPEG has a coding process that PDF does not have.
    #[error("the JPEG has a coding process that PDF does not support")]
    JpegProcess,
    /// The JPEG ends within the image.
    #[error("the JPEG ends within the image")]
    JpegTruncated,
    /// A new field needs a page and a rectangle.
    #[error(
        "a new field needs a page and a rectangle, unless the name of an existing field is given"
    )]
    NewField,
    /// Page number 0.
    #[error("page 0 does not exist: pages are counted from 1")]
    PageZero,
    /// The modules of the QR code would be smaller than 0.7 points.
    #[error(
        "telephones cannot read a QR code as small as this: make the rectangle larger, or the \
         code's text shorter"
    )]
    QrCodeTooSmall,
    /// The text of the QR code is empty or too long.
    #[error("the text of the QR code is empty or longer than 1,024 octets")]
    QrTextLen,
    /// The text is larger than the rectangle even in the smallest font size.
    #[error("the text does not fit into its rectangle")]
    TextDoesNotFit,
    /// A text that is empty or too long.
    #[error("the text is empty or longer than 4,096 octets")]
    TextLen,
    /// The font cannot shape the text.
    #[error("the font cannot shape the text")]
    TextShaping,
    /// The font cannot be read.
    #[error("the font cannot be read")]
    UnreadableFont,
    /// The JPEG cannot be read.
    #[error("the JPEG cannot be read")]
    UnreadableJpeg,
    /// The PNG cannot be read.
    #[error("the PNG cannot be read")]
    UnreadablePng,
}
