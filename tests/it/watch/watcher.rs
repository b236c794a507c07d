//! A reader of `WatchVerdicts` that does what its protocol says and no more.

use std::collections::BTreeMap;

use tonic::transport::Channel;
use tonic::{Status, Streaming};
use vigie::grpc::generated::vigie::ad_safety_client::AdSafetyClient;
use vigie::wire::Timestamp;
use vigie::wire::vigie::{
    GetVerdictsRequest, ProductKey, ProductVerdicts, Verdict, WatchVerdictsRequest, WatchVerdictsResponse,
};

use crate::support::Server;
use crate::support::client::within;
use crate::support::server::PATIENCE;

/// What is held of one product: each country's verdict, and until when.
type Held = Vec<(Verdict, Option<Timestamp>)>;

pub struct Watcher {
    client: AdSafetyClient<Channel>,
    countries: Vec<String>,
    told: Streaming<WatchVerdictsResponse>,
    held: BTreeMap<(String, String), Held>,
    pub cursor: String,
    /// Snapshots that began.
    pub snapshots: usize,
    in_snapshot: bool,
}

impl Watcher {
    pub async fn begin(server: &Server, countries: &[&str]) -> Self {
        let client = server.ad_safety().await;
        let countries: Vec<String> = countries.iter().map(ToString::to_string).collect();
        let told = watch(&client, &countries, "").await.unwrap();
        let mut watcher = Self {
            client,
            countries,
            told,
            held: BTreeMap::new(),
            cursor: String::new(),
            snapshots: 0,
            in_snapshot: false,
        };
        watcher.settled().await;
        watcher
    }

    /// Breaks off and goes on from its cursor, at this server.
    pub async fn again(&mut self, server: &Server) {
        self.client = server.ad_safety().await;
        self.told = watch(&self.client, &self.countries, &self.cursor).await.unwrap();
        self.in_snapshot = false;
    }

    /// Until a snapshot has ended.
    pub async fn settled(&mut self) {
        while self.in_snapshot || self.snapshots == 0 {
            self.next().await;
        }
    }

    /// Takes the next message, and does as it says.
    pub async fn next(&mut self) -> WatchVerdictsResponse {
        let message = within(PATIENCE, self.told.message()).await;
        let message = message.unwrap().expect("a watch does not end");
        self.cursor.clone_from(&message.cursor);
        if message.snapshot && message.cursor.is_empty() && message.result.is_none() {
            self.held.clear();
            self.snapshots += 1;
            self.in_snapshot = true;
            return message;
        }
        assert_eq!(message.snapshot, self.in_snapshot, "{message:?}");
        match &message.result {
            Some(result) => self.hold(result),
            None => {
                assert!(!message.cursor.is_empty(), "{message:?}");
                self.in_snapshot = false;
            }
        }
        message
    }

    fn hold(&mut self, result: &ProductVerdicts) {
        let key = named(result.product.as_ref().unwrap());
        let verdicts = held(result);
        if verdicts.iter().all(|(verdict, _)| *verdict == Verdict::Allow) {
            // Gone, or as it is without being told.
            self.held.remove(&key);
        } else {
            self.held.insert(key, verdicts);
        }
    }

    /// How many products it holds as not allowed.
    pub fn held(&self) -> usize {
        self.held.len()
    }

    /// Reads on until it holds what `GetVerdicts` says of these products.
    pub async fn until_it_agrees(&mut self, keys: &[ProductKey]) {
        while !self.agrees(keys).await {
            self.next().await;
        }
    }

    /// Whether it holds what `GetVerdicts` says of these products; of those that nobody knows anything of it need not hold anything.
    pub async fn agrees(&self, keys: &[ProductKey]) -> bool {
        let request = GetVerdictsRequest {
            products: keys.to_vec(),
            countries: self.countries.clone(),
            ..Default::default()
        };
        let asked = self.client.clone().get_verdicts(request).await.unwrap().into_inner();
        asked.results.iter().all(|result| {
            let mine = self.held.get(&named(result.product.as_ref().unwrap()));
            let asked = held(result);
            match mine {
                Some(mine) => *mine == asked,
                None => !result.known || asked.iter().all(|(verdict, _)| *verdict == Verdict::Allow),
            }
        })
    }
}

async fn watch(
    client: &AdSafetyClient<Channel>,
    countries: &[String],
    cursor: &str,
) -> Result<Streaming<WatchVerdictsResponse>, Status> {
    let request = WatchVerdictsRequest {
        countries: countries.to_vec(),
        cursor: cursor.to_owned(),
    };
    let told = client.clone().watch_verdicts(request).await;
    told.map(tonic::Response::into_inner)
}

fn named(key: &ProductKey) -> (String, String) {
    (key.partner_id.clone(), key.product_id.clone())
}

fn held(result: &ProductVerdicts) -> Held {
    let verdicts = result.verdicts.iter();
    verdicts
        .map(|verdict| (verdict.verdict(), verdict.valid_until))
        .collect()
}
