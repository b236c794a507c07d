//! The methods that the protocol files declare, by the path that a call has.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use prost_reflect::DescriptorPool;

use super::DESCRIPTOR_SET;

/// One declared method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Method {
    /// With its package: `vigie.v1.AdSafety`.
    pub service: String,
    pub name: String,
    /// The caller sends a stream.
    pub takes_stream: bool,
}

/// Everything that the protocol files declare.
pub(super) static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    DescriptorPool::decode(DESCRIPTOR_SET).expect("the descriptor set was written by this package's build")
});

static METHODS: LazyLock<BTreeMap<String, Method>> = LazyLock::new(|| {
    let of_service = |service: prost_reflect::ServiceDescriptor| {
        let method = |method: prost_reflect::MethodDescriptor| {
            let declared = Method {
                service: service.full_name().to_owned(),
                name: method.name().to_owned(),
                takes_stream: method.is_client_streaming(),
            };
            (format!("/{}/{}", declared.service, declared.name), declared)
        };
        service.methods().map(method).collect::<Vec<_>>()
    };
    POOL.services().flat_map(of_service).collect()
});

/// The method of a path such as `/vigie.v1.AdSafety/Classify`; none where it is not declared.
pub fn method(path: &str) -> Option<&'static Method> {
    METHODS.get(path)
}

/// Every declared method.
pub fn methods() -> impl Iterator<Item = &'static Method> {
    METHODS.values()
}

/// The names of the declared services, with their packages.
pub fn service_names() -> impl Iterator<Item = String> {
    POOL.services().map(|service| service.full_name().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declared_method_is_found_and_no_other() {
        let found = method("/vigie.v1.AdSafety/ClassifyStream").unwrap();
        assert_eq!(
            (found.service.as_str(), found.name.as_str()),
            ("vigie.v1.AdSafety", "ClassifyStream")
        );
        assert!(
            found.takes_stream
                && !method("/inference.GRPCInferenceService/ModelInfer")
                    .unwrap()
                    .takes_stream
        );
        assert_eq!(method("/vigie.v1.AdSafety/Guess"), None);
        let names: Vec<String> = service_names().collect();
        assert_eq!(
            names,
            [
                "vigie.v1.AdSafety",
                "vigie.v1.Decisions",
                "vigie.v1.Models",
                "vigie.v1.Policies",
                "inference.GRPCInferenceService"
            ]
        );
    }
}
