//! Reads the services of a trusted list from its elements (TS 119 612, 5).

use ades_core::{Certificate, base64};
use chrono::{DateTime, Utc};

use crate::authenticity::{self, Authenticity};
use crate::criteria::QualifierRule;
use crate::error::Error;
use crate::list::{Period, Service, ServiceKind, Status, TrustedList};
use crate::tree::{self, Element, Space};

/// Maximum number of services in a list.
pub const MAX_SERVICES: usize = 16_384;

impl TrustedList {
    /// Verifies the signature of a list and reads the list. `signers` are the certificates that
    /// may sign it; without any, the list is not authenticated.
    ///
    /// # Errors
    /// Why the list is not used.
    pub fn read(octets: &[u8], signers: &[Certificate]) -> Result<Self, Error> {
        let root = root_of(octets)?;
        let authenticity = authenticity::check(octets, signers)?;
        Self::of_root(&root, authenticity)
    }

    /// As [`read`](Self::read), without looking at the signature.
    ///
    /// # Errors
    /// Why the list cannot be read.
    #[cfg(any(fuzzing, test))]
    #[doc(hidden)]
    pub fn read_unverified(octets: &[u8]) -> Result<Self, Error> {
        Self::of_root(&root_of(octets)?, Authenticity::SignerNotGiven)
    }

    fn of_root(root: &Element, authenticity: Authenticity) -> Result<Self, Error> {
        let missing = |element| Error::Element { element };
        let scheme = root.first("SchemeInformation").ok_or(missing("SchemeInformation"))?;
        let text = |name: &'static str| scheme.first(name).map(Element::text).unwrap_or_default();
        let version = text("TSLVersionIdentifier");
        if !matches!(version, "5" | "6") {
            return Err(Error::Version { found: version.to_owned() });
        }
        let sequence_number = text("TSLSequenceNumber").parse();
        let issued = date_time(text("ListIssueDateTime")).ok_or(missing("ListIssueDateTime"))?;
        let next_update = match scheme.at(&["NextUpdate", "dateTime"]) {
            Some(time) => Some(date_time(time.text()).ok_or(missing("NextUpdate"))?),
            None => None,
        };
        let mut list = Self {
            authenticity,
            territory: text("SchemeTerritory").to_owned(),
            list_type: text("TSLType").to_owned(),
            sequence_number: sequence_number.map_err(|_| missing("TSLSequenceNumber"))?,
            issued,
            next_update,
            services: Vec::new(),
            unreadable: 0,
        };
        for provider in root.all("TrustServiceProviderList").flat_map(|all| all.children.iter()) {
            list.add_provider(provider)?;
        }
        Ok(list)
    }

    /// Adds the services of one provider.
    fn add_provider(&mut self, provider: &Element) -> Result<(), Error> {
        let information = provider.first("TSPInformation");
        let name = information.and_then(|one| one.first("TSPName")).map(name_of);
        let name = name.unwrap_or_default();
        for service in provider.all("TSPServices").flat_map(|all| all.all("TSPService")) {
            if self.services.len() == MAX_SERVICES {
                return Err(Error::Limit { what: "services", max: MAX_SERVICES });
            }
            match self.service(service, &name) {
                Some(service) => self.services.push(service),
                None => self.unreadable += 1,
            }
        }
        Ok(())
    }

    /// `None`: the current entry cannot be read, so nothing is known about the service.
    fn service(&mut self, element: &Element, provider: &str) -> Option<Service> {
        let current = element.first("ServiceInformation")?;
        let mut periods = vec![period(current)?];
        let history = element.all("ServiceHistory");
        for entry in history.flat_map(|all| all.all("ServiceHistoryInstance")) {
            match period(entry) {
                Some(period) => periods.push(period),
                None => self.unreadable += 1,
            }
        }
        // The order of the list is not relied on. The entry that is current stays the last of
        // those that begin at one time.
        periods.reverse();
        periods.sort_by_key(|one| one.from);
        let starts: Vec<_> = periods.iter().skip(1).map(|one| one.from).collect();
        periods.iter_mut().zip(starts).for_each(|(one, next)| one.to = Some(next));
        let provider = provider.to_owned();
        Some(Service { provider, certificates: self.certificates(current), periods })
    }

    /// The certificates of an entry. An identity that has only a name or a key identifier gives
    /// none.
    fn certificates(&mut self, entry: &Element) -> Vec<Certificate> {
        let ids = entry.all("ServiceDigitalIdentity").flat_map(|one| one.all("DigitalId"));
        let mut certificates: Vec<Certificate> = Vec::new();
        for text in ids.flat_map(|id| id.all("X509Certificate")).map(Element::text) {
            let text: String = text.split_ascii_whitespace().collect();
            let read = base64::decode(&text).and_then(|der| Certificate::from_der(der).ok());
            match read {
                Some(one) if !certificates.contains(&one) => certificates.push(one),
                Some(_) => {}
                None => self.unreadable += 1,
            }
        }
        certificates
    }
}

fn root_of(octets: &[u8]) -> Result<Element, Error> {
    let root = tree::read(octets)?;
    match root.space == Space::List && root.name == "TrustServiceStatusList" {
        true => Ok(root),
        false => Err(Error::NotATrustedList { found: root.name }),
    }
}

/// `None` without a start, type or status.
fn period(entry: &Element) -> Option<Period> {
    let text = |name: &'static str| entry.first(name).map(Element::text);
    let mut period = Period {
        from: date_time(text("StatusStartingTime")?)?,
        to: None,
        kind: ServiceKind::of(text("ServiceTypeIdentifier")?),
        status: Status::of(text("ServiceStatus")?),
        name: entry.first("ServiceName").map(name_of).unwrap_or_default(),
        additional: Vec::new(),
        expired_certificates_since: None,
        rules: Vec::new(),
        is_understood: true,
    };
    let extensions = entry.all("ServiceInformationExtensions");
    for extension in extensions.flat_map(|all| all.all("Extension")) {
        let is_critical = matches!(extension.attribute("Critical"), Some("true" | "1"));
        let is_understood = add_extension(&mut period, extension, is_critical);
        period.is_understood &= is_understood || !is_critical;
    }
    Some(period)
}

/// Returns whether the extension is understood.
fn add_extension(period: &mut Period, extension: &Element, is_critical: bool) -> bool {
    let mut is_understood = !extension.children.is_empty();
    for child in &extension.children {
        is_understood &= match (child.space, child.name.as_str()) {
            (Space::List, "AdditionalServiceInformation") => {
                let uri = child.first("URI").map(Element::text).unwrap_or_default();
                period.additional.push(last_part(uri).to_owned());
                true
            }
            (Space::List, "ExpiredCertsRevocationInfo") => {
                period.expired_certificates_since = date_time(child.text());
                period.expired_certificates_since.is_some()
            }
            (Space::Qualifications, "Qualifications") => {
                let rules = child.all_in(Space::Qualifications, "QualificationElement");
                let rules: Vec<_> = rules.map(QualifierRule::read).collect();
                let all_read = rules.iter().all(QualifierRule::is_understood);
                period.rules.extend(rules);
                all_read || !is_critical
            }
            // Another provider has it now: that changes nothing about the service.
            (Space::Additional, "TakenOverBy") => true,
            _ => false,
        };
    }
    is_understood
}

/// The last part of a URI, which is the word that TS 119 612 defines.
pub(crate) fn last_part(uri: &str) -> &str {
    uri.rsplit('/').next().unwrap_or_default()
}

/// The English name, else the first.
fn name_of(names: &Element) -> String {
    let is_english = |one: &&Element| one.attribute("xml:lang") == Some("en");
    let english = names.all("Name").find(is_english);
    english.or_else(|| names.first("Name")).map(|one| one.text().to_owned()).unwrap_or_default()
}

/// TS 119 612 demands UTC; some lists have another time zone.
fn date_time(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIST: &str = r#"<TrustServiceStatusList xmlns="http://uri.etsi.org/02231/v2#"
xmlns:q="http://uri.etsi.org/TrstSvc/SvcInfoExt/eSigDir-1999-93-EC-TrustedList/#"><SchemeInformation>
<TSLVersionIdentifier>6</TSLVersionIdentifier><TSLSequenceNumber>1</TSLSequenceNumber>
<ListIssueDateTime>2026-01-01T00:00:00Z</ListIssueDateTime><NextUpdate/></SchemeInformation>
<TrustServiceProviderList><TrustServiceProvider><TSPServices><TSPService><ServiceInformation>
<ServiceTypeIdentifier>http://uri.etsi.org/TrstSvc/Svctype/CA/QC</ServiceTypeIdentifier>
<ServiceDigitalIdentity><DigitalId><X509Certificate>MAA=</X509Certificate></DigitalId></ServiceDigitalIdentity>
<ServiceStatus>http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/granted</ServiceStatus>
<StatusStartingTime>2020-01-01T00:00:00+01:00</StatusStartingTime><ServiceInformationExtensions>
<Extension Critical="true"><q:Qualifications><q:QualificationElement><q:CriteriaList assert="none">
<q:KeyUsage><q:KeyUsageBit name="crlSign">true</q:KeyUsageBit></q:KeyUsage></q:CriteriaList>
</q:QualificationElement></q:Qualifications></Extension></ServiceInformationExtensions>
</ServiceInformation><ServiceHistory><ServiceHistoryInstance/></ServiceHistory></TSPService>
</TSPServices></TrustServiceProvider></TrustServiceProviderList></TrustServiceStatusList>"#;

    #[test]
    fn what_cannot_be_read_is_counted() {
        let list = TrustedList::read_unverified(LIST.as_bytes()).unwrap();
        let [service] = list.services.as_slice() else { panic!("one service") };
        // The certificate, and the entry of the history.
        assert_eq!((service.certificates.len(), list.unreadable), (0, 2));
        let [period] = service.periods.as_slice() else { panic!("one period") };
        assert!(period.is_good());
        assert_eq!(period.from.to_rfc3339(), "2019-12-31T23:00:00+00:00");
        assert_eq!(list.known_until(), list.issued);
    }

    proptest! {
        #[test]
        fn a_changed_list_is_read_or_refused(at in 0..LIST.len(), octet in any::<u8>(), len in 0..40usize) {
            let mut octets = LIST.as_bytes().to_vec();
            let end = (at + len).min(octets.len());
            octets.splice(at..end, [octet]);
            if let Ok(list) = TrustedList::read_unverified(&octets) {
                let _ = (list.signer_anchors(list.issued), list.time_stamping_anchors(list.issued));
            }
        }
    }
}
