//! Invoices of any size, similar to those of UBL, generated while they are read.

use std::io::{self, Read, Write};

const START: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
    xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
    xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
  <cbc:ID>1</cbc:ID>
"#;

/// An invoice with a minimum number of octets. It ends with a complete line.
#[derive(Debug)]
pub struct Invoice {
    left: u64,
    line: u64,
    piece: Vec<u8>,
    at: usize,
    ended: bool,
}

impl Invoice {
    /// An invoice of at least `octets` octets.
    #[must_use]
    pub fn new(octets: u64) -> Self {
        Self { left: octets, line: 0, piece: START.into(), at: 0, ended: false }
    }

    /// As [`new`](Self::new), in memory.
    #[must_use]
    pub fn in_memory(octets: u64) -> Vec<u8> {
        let mut all = Vec::new();
        Self::new(octets).read_to_end(&mut all).unwrap();
        all
    }

    fn next_piece(&mut self) {
        self.left = self.left.saturating_sub(self.piece.len() as u64);
        self.piece.clear();
        self.at = 0;
        if self.left == 0 {
            self.ended = true;
            self.piece.extend_from_slice(b"</Invoice>\n");
            return;
        }
        self.line += 1;
        let (line, quantity, cents) = (self.line, self.line % 17, self.line * 7919 % 1_000_000);
        let amount = format!("{}.{:02}", cents / 100, cents % 100);
        write!(
            self.piece,
            r#"  <cac:InvoiceLine>
    <cbc:ID>{line}</cbc:ID>
    <cbc:InvoicedQuantity unitCode="H87">{quantity}</cbc:InvoicedQuantity>
    <cbc:LineExtensionAmount currencyID="EUR">{amount}</cbc:LineExtensionAmount>
    <cac:Item>
      <cbc:Name>Article {line} &amp; accessories, très utile</cbc:Name>
      <cac:ClassifiedTaxCategory>
        <cbc:ID>S</cbc:ID>
        <cbc:Percent>21</cbc:Percent>
      </cac:ClassifiedTaxCategory>
    </cac:Item>
    <cac:Price>
      <cbc:PriceAmount currencyID="EUR">{amount}</cbc:PriceAmount>
    </cac:Price>
  </cac:InvoiceLine>
"#
        )
        .unwrap();
    }
}

impl Read for Invoice {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            if self.at == self.piece.len() {
                if self.ended {
                    break;
                }
                self.next_piece();
            }
            let len = (&self.piece[self.at..]).read(&mut buffer[filled..])?;
            self.at += len;
            filled += len;
        }
        Ok(filled)
    }
}
