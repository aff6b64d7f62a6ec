//! Trusted lists (ETSI TS 119 612) for tests, signed by the test PKI.

use ades_core::{Certificate, Document, base64};

use crate::pki::TestSigner;
use crate::signing::{complete_xades, parameters};

const SERVICE_TYPE: &str = "http://uri.etsi.org/TrstSvc/Svctype/";
const STATUS: &str = "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/";
const INFORMATION: &str = "http://uri.etsi.org/TrstSvc/TrustedList/SvcInfoExt/";

/// A trusted list.
#[derive(Clone, Debug)]
pub struct List {
    /// `TSLVersionIdentifier`
    pub version: &'static str,
    /// `NextUpdate`; `None`: the list is closed
    pub next_update: Option<&'static str>,
    /// Its services.
    pub services: Vec<ListedService>,
}

/// A service in a list.
#[derive(Clone, Debug)]
pub struct ListedService {
    /// Its certificate.
    pub certificate: Certificate,
    /// What it is now, then its history, the newest first.
    pub entries: Vec<Entry>,
}

/// An entry of a service.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The end of the type's URI, such as `CA/QC`.
    pub kind: &'static str,
    /// The end of the status' URI, such as `granted`.
    pub status: &'static str,
    /// `StatusStartingTime`
    pub from: &'static str,
    /// `Extension` elements.
    pub extensions: String,
}

impl Entry {
    /// An entry for signatures, if it issues qualified certificates.
    #[must_use]
    pub fn new(kind: &'static str, status: &'static str, from: &'static str) -> Self {
        let extensions = match kind {
            "CA/QC" => additional("ForeSignatures"),
            _ => String::new(),
        };
        Self { kind, status, from, extensions }
    }

    /// Adds an extension.
    #[must_use]
    pub fn with(mut self, extension: &str) -> Self {
        self.extensions.push_str(extension);
        self
    }
}

/// `AdditionalServiceInformation`
#[must_use]
pub fn additional(name: &str) -> String {
    format!(
        "<Extension Critical=\"false\"><AdditionalServiceInformation><URI xml:lang=\"en\">\
         {INFORMATION}{name}</URI></AdditionalServiceInformation></Extension>"
    )
}

/// `Qualifications` with these qualifiers, and criteria in the namespace prefix `q`.
#[must_use]
pub fn qualifications(qualifiers: &[&str], criteria: &str) -> String {
    let qualifiers: String = qualifiers
        .iter()
        .map(|name| format!("<q:Qualifier uri=\"{INFORMATION}{name}\"/>"))
        .collect();
    format!(
        "<Extension Critical=\"true\"><q:Qualifications><q:QualificationElement><q:Qualifiers>\
         {qualifiers}</q:Qualifiers>{criteria}</q:QualificationElement></q:Qualifications></Extension>"
    )
}

/// Criteria that hold for every certificate with the key usage of signatures.
pub const SIGNERS: &str = "<q:CriteriaList assert=\"all\"><q:KeyUsage><q:KeyUsageBit \
                           name=\"nonRepudiation\">true</q:KeyUsageBit></q:KeyUsage></q:CriteriaList>";

impl List {
    /// A list of version 6 that is valid until 2027, with these services.
    #[must_use]
    pub const fn new(services: Vec<ListedService>) -> Self {
        Self { version: "6", next_update: Some("2027-01-01T00:00:00Z"), services }
    }

    /// The list without a signature.
    #[must_use]
    pub fn unsigned(&self) -> String {
        let next = self.next_update.map(|time| format!("<dateTime>{time}</dateTime>"));
        let services: String = self.services.iter().map(ListedService::element).collect();
        format!(
            r#"<?xml version="1.0" encoding="UTF-8"?>
<TrustServiceStatusList xmlns="http://uri.etsi.org/02231/v2#" xmlns:q="http://uri.etsi.org/TrstSvc/SvcInfoExt/eSigDir-1999-93-EC-TrustedList/#" xmlns:a="http://uri.etsi.org/02231/v2/additionaltypes#" xmlns:x="http://uri.etsi.org/01903/v1.3.2#" Id="list" TSLTag="http://uri.etsi.org/19612/TSLTag">
<SchemeInformation><TSLVersionIdentifier>{}</TSLVersionIdentifier><TSLSequenceNumber>7</TSLSequenceNumber>
<TSLType>http://uri.etsi.org/TrstSvc/TrustedList/TSLType/EUgeneric</TSLType>
<SchemeOperatorName><Name xml:lang="en">Test Operator</Name></SchemeOperatorName>
<SchemeOperatorAddress><PostalAddresses><PostalAddress xml:lang="en"><StreetAddress>Street 1</StreetAddress><Locality>Town</Locality><PostalCode>1000</PostalCode><CountryName>BE</CountryName></PostalAddress></PostalAddresses>
<ElectronicAddress><URI xml:lang="en">mailto:test@example.org</URI></ElectronicAddress></SchemeOperatorAddress>
<SchemeName><Name xml:lang="en">BE:Test list</Name></SchemeName>
<SchemeInformationURI><URI xml:lang="en">https://example.org/</URI></SchemeInformationURI>
<StatusDeterminationApproach>http://uri.etsi.org/TrstSvc/TrustedList/StatusDetn/EUappropriate</StatusDeterminationApproach>
<SchemeTypeCommunityRules><URI xml:lang="en">http://uri.etsi.org/TrstSvc/TrustedList/schemerules/EUcommon</URI></SchemeTypeCommunityRules>
<SchemeTerritory>BE</SchemeTerritory>
<PolicyOrLegalNotice><TSLLegalNotice xml:lang="en">None.</TSLLegalNotice></PolicyOrLegalNotice>
<HistoricalInformationPeriod>65535</HistoricalInformationPeriod>
<ListIssueDateTime>2026-07-01T00:00:00Z</ListIssueDateTime><NextUpdate>{}</NextUpdate></SchemeInformation>
<TrustServiceProviderList><TrustServiceProvider>
<TSPInformation><TSPName><Name xml:lang="nl">Aanbieder</Name><Name xml:lang="en">Test Provider</Name></TSPName>
<TSPTradeName><Name xml:lang="en">VATBE-0000000000</Name></TSPTradeName>
<TSPAddress><PostalAddresses><PostalAddress xml:lang="en"><StreetAddress>Street 2</StreetAddress><Locality>Town</Locality><PostalCode>1000</PostalCode><CountryName>BE</CountryName></PostalAddress></PostalAddresses>
<ElectronicAddress><URI xml:lang="en">mailto:tsp@example.org</URI></ElectronicAddress></TSPAddress>
<TSPInformationURI><URI xml:lang="en">https://example.org/tsp</URI></TSPInformationURI></TSPInformation>
<TSPServices>{services}</TSPServices></TrustServiceProvider></TrustServiceProviderList>
</TrustServiceStatusList>"#,
            self.version,
            next.unwrap_or_default()
        )
    }

    /// The list, signed by `signer`.
    #[must_use]
    pub fn signed(&self, signer: &TestSigner) -> Vec<u8> {
        let list = self.unsigned();
        let mut source = Document::from_bytes(list.as_bytes());
        let options = xades::SignatureOptions::new();
        let pending = xades::prepare(&mut source, &signer.chain, &parameters(), &options).unwrap();
        complete_xades(&pending, Some(list.as_bytes()), signer).unwrap()
    }
}

impl ListedService {
    /// A service with one entry.
    #[must_use]
    pub fn new(certificate: &Certificate, entry: Entry) -> Self {
        Self { certificate: certificate.clone(), entries: vec![entry] }
    }

    /// Adds an older entry.
    #[must_use]
    pub fn before(mut self, entry: Entry) -> Self {
        self.entries.push(entry);
        self
    }

    fn element(&self) -> String {
        let certificate = base64::encode(self.certificate.der());
        let certificate = format!("<X509Certificate>{certificate}</X509Certificate>");
        let [current, history @ ..] = self.entries.as_slice() else {
            panic!("a service has an entry");
        };
        let history: String = history
            .iter()
            .map(|one| {
                // The history of real lists has the key identifier alone.
                let id = "<X509SKI>AAECAwQFBgcICQoLDA0ODxAREhM=</X509SKI>";
                format!("<ServiceHistoryInstance>{}</ServiceHistoryInstance>", one.fields(id))
            })
            .collect();
        let history = match history.as_str() {
            "" => String::new(),
            all => format!("<ServiceHistory>{all}</ServiceHistory>"),
        };
        format!(
            "<TSPService><ServiceInformation>{}</ServiceInformation>{history}</TSPService>",
            current.fields(&certificate)
        )
    }
}

impl Entry {
    fn fields(&self, id: &str) -> String {
        let extensions = match self.extensions.as_str() {
            "" => String::new(),
            all => format!("<ServiceInformationExtensions>{all}</ServiceInformationExtensions>"),
        };
        format!(
            "<ServiceTypeIdentifier>{SERVICE_TYPE}{}</ServiceTypeIdentifier><ServiceName><Name \
             xml:lang=\"en\">Test service</Name></ServiceName><ServiceDigitalIdentity><DigitalId>\
             {id}</DigitalId></ServiceDigitalIdentity><ServiceStatus>{STATUS}{}</ServiceStatus>\
             <StatusStartingTime>{}</StatusStartingTime>{extensions}",
            self.kind, self.status, self.from
        )
    }
}
