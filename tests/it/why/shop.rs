//! A shop with one product, judged by a model whose scores are known in advance: alcohol by how bright the picture is.

use std::io::Cursor;
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use image::{ImageFormat, Rgb, RgbImage};
use serde_json::Value;
use tonic::transport::Channel;
use tonic::{Code, Status};
use vigie::grpc::generated::vigie::decisions_client::DecisionsClient;
use vigie::wire::timestamp;
use vigie::wire::vigie::correct_request::{Kind, Scope};
use vigie::wire::vigie::why_request::About;
use vigie::wire::vigie::{
    ClassifyRequest, CorrectRequest, Correction, Decision, GetDecisionRequest, ProductKey, ReplayRequest,
    ReplayResponse, RevokeCorrectionRequest, TriedPart, Verdict, WhyRequest, WhyResponse,
};

use crate::support::client::{for_countries, question};
use crate::support::place::shipped_version;
use crate::support::server::PATIENCE;
use crate::support::{Launch, Place, Server, files, onnx};

pub const PARTNER: &str = "acme";
pub const PRODUCT: &str = "bottle-1";
pub const COUNTRY: &str = "SA";

/// Alcohol is blocked in Saudi Arabia from here.
pub const POLICY: &str = "\
format = 1

[default]
review = 0.5
block = 0.95

[country.SA.label.alcohol]
verdict = \"BLOCK\"
from = 0.9
";

/// The side of the model's input, in pixels.
const SIDE: i64 = 96;
/// Alcohol among the shipped labels.
const ALCOHOL: usize = 2;
const LABELS: usize = 7;

/// How much a model makes of brightness: the score of alcohol is `sigmoid(weight · brightness + bias)`.
#[derive(Clone, Copy)]
pub struct Eyes {
    pub weight: f32,
    pub bias: f32,
}

/// A dark picture scores nothing, a bright one everything.
pub const GOOD: Eyes = Eyes {
    weight: 20.0,
    bias: -10.0,
};

/// Half a white strip in the middle of a dark picture three times as wide as high: what is seen depends on how it is fitted.
pub fn striped() -> Vec<u8> {
    encoded(&RgbImage::from_fn(300, 100, |x, _| {
        let is_middle = (100..200).contains(&x);
        Rgb([if is_middle { 255 } else { 0 }; 3])
    }))
}

/// A picture of one grey: `brightness` of 255.
pub fn grey(brightness: u8) -> Vec<u8> {
    encoded(&RgbImage::from_pixel(120, 120, Rgb([brightness; 3])))
}

fn encoded(picture: &RgbImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// Publishes a version that is whole and proves itself, with such a model and so edited a manifest.
pub fn publish(place: &Place, version: i64, eyes: Eyes, edit: impl FnOnce(&mut toml_edit::DocumentMut)) {
    let staged = tempfile::tempdir().unwrap();
    let folder = make(staged.path(), version, eyes, edit);
    files::publish(&folder, &place.version(version));
}

/// The same in the place of a version that serves.
pub fn change_in_place(place: &Place, version: i64, eyes: Eyes) {
    let staged = tempfile::tempdir().unwrap();
    let folder = make(staged.path(), version, eyes, |_| {});
    files::change_in_place(&folder, &place.version(version));
}

fn make(staged: &Path, version: i64, eyes: Eyes, edit: impl FnOnce(&mut toml_edit::DocumentMut)) -> std::path::PathBuf {
    let folder = staged.join("adsafety").join(version.to_string());
    files::copy(&shipped_version(1), &folder);
    let (mut weights, mut biases) = ([0.0; LABELS], [-10.0; LABELS]);
    (weights[ALCOHOL], biases[ALCOHOL]) = (eyes.weight, eyes.bias);
    std::fs::write(folder.join("model.onnx"), onnx::judge(SIDE, &weights, &biases)).unwrap();
    files::edit_manifest(&folder, |manifest| {
        manifest.remove("calibration");
        manifest["input"]["name"] = toml_edit::value("image");
        manifest["golden"]["source"] = toml_edit::value("self");
        let numbers = |number: f64| toml_edit::value(toml_edit::Array::from_iter([number; 3]));
        manifest["preprocessing"]["mean"] = numbers(0.0);
        manifest["preprocessing"]["std"] = numbers(1.0);
        edit(manifest);
    });
    let sealed = vigie(&["add", "--reseal", folder.to_str().unwrap()]);
    assert!(sealed.status.success(), "{}", String::from_utf8_lossy(&sealed.stderr));
    folder
}

fn vigie(words: &[&str]) -> std::process::Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vigie"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("VIGIE_")) {
        command.env_remove(name);
    }
    command.args(words).output().expect("run vigie")
}

/// A place with version 1 of the model and the policy.
pub fn place() -> Place {
    let place = Place::with_versions(&[]);
    std::fs::write(place.model().join("policy.toml"), POLICY).unwrap();
    publish(&place, 1, GOOD, |_| {});
    place
}

pub fn launch(place: &Place) -> Launch<'_> {
    Launch::new(place).set("WATCH__RESCAN", "1h")
}

/// A caller of one server.
pub struct Shop<'a> {
    pub server: &'a Server,
    decisions: DecisionsClient<Channel>,
}

impl<'a> Shop<'a> {
    pub async fn open(server: &'a Server) -> Self {
        Self {
            server,
            decisions: DecisionsClient::new(server.channel().await),
        }
    }

    /// The question about the product with this picture.
    pub fn question(picture: Vec<u8>) -> ClassifyRequest {
        let mut request = for_countries(question(picture), &[COUNTRY]);
        let product = request.product.as_mut().unwrap();
        product.partner_id = PARTNER.into();
        product.product_id = PRODUCT.into();
        product.title = "A bottle".into();
        request
    }

    /// Decides on the product with this picture, and waits until that is on record.
    pub async fn decide(&self, picture: Vec<u8>) -> Decision {
        self.decide_on(Self::question(picture)).await
    }

    pub async fn decide_on(&self, request: ClassifyRequest) -> Decision {
        let decision = self.server.classify(request).await.unwrap();
        self.recorded(&decision.decision_id).await;
        decision
    }

    async fn recorded(&self, decision_id: &str) {
        let waited = tokio::time::timeout(PATIENCE, async {
            loop {
                let request = GetDecisionRequest {
                    decision_id: decision_id.into(),
                };
                match self.decisions.clone().get_decision(request).await {
                    Ok(_) => return,
                    Err(status) => assert_eq!(status.code(), Code::NotFound, "{status}"),
                }
                tokio::task::yield_now().await;
            }
        });
        waited.await.expect("it never was on record");
    }

    pub async fn correct(&self, verdict: Verdict, expires_at: Option<SystemTime>) -> Correction {
        let request = CorrectRequest {
            request_id: vigie::base::now_v7_id(),
            scope: Some(Scope::Product(key())),
            kind: Some(Kind::Exception(verdict.into())),
            reason: "A licence was seen".into(),
            expires_at: expires_at.map(timestamp),
            ..Default::default()
        };
        let corrected = self.decisions.clone().correct(request).await;
        corrected.unwrap().into_inner()
    }

    pub async fn revoke(&self, correction_id: &str) {
        let request = RevokeCorrectionRequest {
            request_id: vigie::base::now_v7_id(),
            correction_id: correction_id.into(),
            reason: "The licence was forged".into(),
        };
        self.decisions.clone().revoke_correction(request).await.unwrap();
    }

    pub async fn replay(&self, decision_id: &str) -> Result<ReplayResponse, Status> {
        let decision_id = decision_id.into();
        let replayed = self.decisions.clone().replay(ReplayRequest { decision_id }).await;
        replayed.map(tonic::Response::into_inner)
    }

    pub async fn ask(&self, request: WhyRequest) -> Result<WhyResponse, Status> {
        self.decisions
            .clone()
            .why(request)
            .await
            .map(tonic::Response::into_inner)
    }

    /// Why the product is judged as it is now.
    pub async fn why(&self) -> WhyResponse {
        self.ask(of_product()).await.unwrap()
    }

    /// Why a decision was made so.
    pub async fn why_decided(&self, decision_id: &str) -> WhyResponse {
        let request = WhyRequest {
            about: Some(About::DecisionId(decision_id.into())),
            ..Default::default()
        };
        self.ask(request).await.unwrap()
    }

    /// What the command line prints.
    pub fn printed(&self, words: &[&str]) -> String {
        let address = self.server.grpc.to_string();
        let all = [&["why"], words, &["--server", &address]].concat();
        let output = vigie(&all);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code().is_some_and(|code| code < 2), "{errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// What the command line prints for programs.
    pub fn printed_json(&self, words: &[&str]) -> Value {
        let printed = self.printed(&[words, &["--json"]].concat());
        serde_json::from_str(&printed).unwrap()
    }

    /// Puts a policy in force.
    pub async fn govern(&self, place: &Place, text: &str) {
        let policy = place.model().join("policy.toml");
        files::write(&policy, text.as_bytes());
        let hash = files::digest(&policy);
        let is_in_force = |told: &vigie::wire::vigie::WatchModelsResponse| {
            told.summaries.iter().any(|model| model.policy_version == hash)
        };
        self.server.watch_until(is_in_force).await;
    }

    /// Waits until a version is live.
    pub async fn live(&self, version: i64) {
        self.server
            .watch_until(|told| told.models.iter().any(|found| found.version == version && found.live))
            .await;
    }
}

pub fn key() -> ProductKey {
    ProductKey {
        partner_id: PARTNER.into(),
        product_id: PRODUCT.into(),
    }
}

pub fn of_product() -> WhyRequest {
    WhyRequest {
        about: Some(About::Product(key())),
        ..Default::default()
    }
}

pub fn verdict(decision: &Decision) -> Verdict {
    decision.verdicts[0].verdict()
}

/// The parts that alone make the difference, in the only group of countries.
pub fn culprit(told: &WhyResponse) -> (Vec<&str>, &str) {
    let [culprit] = told.culprits.as_slice() else {
        panic!("one culprit is expected: {told:#?}");
    };
    assert_eq!(culprit.countries, [COUNTRY]);
    let [set] = culprit.sets.as_slice() else {
        panic!("one set of parts is expected: {culprit:#?}");
    };
    assert_eq!(told.answer[0], culprit.sentence, "the answer begins with it");
    (set.parts.iter().map(String::as_str).collect(), &culprit.sentence)
}

/// What became of a part that was tried.
pub fn tried<'t>(told: &'t WhyResponse, part: &str) -> &'t TriedPart {
    told.tried
        .iter()
        .find(|tried| tried.part == part)
        .expect("it is listed")
}

/// The verdicts with the part put back, and put in.
pub fn outcomes(tried: &TriedPart) -> [Option<Verdict>; 2] {
    let of = |trial: &Option<vigie::wire::vigie::Trial>| {
        let trial = trial.as_ref()?;
        trial.verdicts.first().map(|verdict| verdict.verdict())
    };
    [of(&tried.put_back), of(&tried.put_in)]
}

/// Fails unless each word is in the text.
pub fn says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word:?} is not in {text:?}");
    }
}

/// The beginning of a digest, as messages show it.
pub fn short(digest: &str) -> &str {
    digest.get(..12).expect("a digest has 64 digits")
}
