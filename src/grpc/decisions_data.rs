//! What the service of decisions takes over, gives out and erases: thin, as its other half is.

use std::pin::Pin;
use std::time::SystemTime;

use bytes::Bytes;
use futures_util::{Stream, stream};
use tonic::{Request, Response, Status, Streaming};

use super::authority::principal_of;
use super::calls::{CallName, reworded};
use super::deadline::asker_of;
use super::decisions::DecisionsService;
use super::streams::Order;
use crate::base::{Principal, Refusal};
use crate::store::{AskedErasure, Erased};
use crate::wire::{self, vigie};

/// Bytes of one piece of a picture.
const PIECE_BYTES: usize = 1 << 20;

const IMPORT: CallName = CallName {
    service: "vigie.v1.Decisions",
    method: "Import",
};

/// The pieces of a picture.
pub(super) type Pieces = Pin<Box<dyn Stream<Item = Result<vigie::GetPictureResponse, Status>> + Send>>;

impl DecisionsService {
    /// One message after the other, so that a stream takes no more memory than its largest.
    pub(super) async fn import_all(
        &self,
        request: Request<Streaming<vigie::ImportRequest>>,
    ) -> Result<Response<vigie::ImportResponse>, Status> {
        let asker = asker_of(&request);
        let opened = self.streams.open(Order::AsAsked, 1, asker.deadline, self.stop.clone());
        let driving = self.told(opened)?;
        let mut messages = request.into_inner();
        let mut taken = vigie::ImportResponse::default();
        let mut source = None;
        for number in 1_u64.. {
            let message = tokio::select! {
                message = messages.message() => message.map_err(|status| reworded(IMPORT, &status).unwrap_or(status))?,
                () = driving.stop.cancelled() => return self.told(Err(Refusal::unavailable(
                    "the server is stopping: send the whole again later, what is on record already is left as it is",
                ))),
            };
            let Some(message) = message else { break };
            let _room = driving.room.take(message.bytes()).await;
            let imported = self.import_one(message, &mut source).await;
            let (products, added) = self.told(imported.map_err(|refusal| Refusal {
                message: format!(
                    "{} (message {number} of the stream; {} products before it are on record)",
                    refusal.message, taken.products
                ),
                ..refusal
            }))?;
            taken.products += products;
            taken.added += added;
        }
        Ok(Response::new(taken))
    }

    /// How many products came, and how many decisions are new.
    async fn import_one(
        &self,
        message: vigie::ImportRequest,
        source: &mut Option<String>,
    ) -> Result<(u64, u64), Refusal> {
        let (named, products) = message.into_imported()?;
        let name = match (source.as_ref(), named) {
            (None, Some(named)) => source.insert(named),
            (Some(first), Some(named)) if *first != named => {
                let message = format!("{named:?} is another than {first:?}: a stream has one source");
                return Err(Refusal::invalid("source", message));
            }
            (Some(first), _) => first,
            (None, None) => {
                let message = "is missing: say what the other system is called";
                return Err(Refusal::invalid("source", message));
            }
        };
        let count = products.len() as u64;
        let added = self.importer.import(name, products).await?;
        Ok((count, added))
    }

    pub(super) async fn erase(
        &self,
        request: Request<vigie::ErasePartnerRequest>,
    ) -> Result<Response<vigie::ErasePartnerResponse>, Status> {
        let author = principal_of(&request);
        let erased = self.erase_as_asked(request.into_inner(), author).await;
        Ok(Response::new(self.told(erased)?))
    }

    async fn erase_as_asked(
        &self,
        request: vigie::ErasePartnerRequest,
        author: Principal,
    ) -> Result<vigie::ErasePartnerResponse, Refusal> {
        let partner_id = wire::named("partner_id", request.partner_id)?;
        if request.count_only {
            let counted = self.erasing.count(&partner_id).await?;
            return Ok(answer(counted, None));
        }
        let asked = AskedErasure {
            request_id: wire::request_id(request.request_id)?,
            partner_id,
            author,
            at: SystemTime::now().into(),
        };
        self.corrections.forget_partner(&asked.partner_id).await?;
        let done = self.erasing.erase(asked).await?;
        Ok(answer(done.erased, done.still_in_use))
    }

    pub(super) async fn picture(&self, request: Request<vigie::GetPictureRequest>) -> Result<Response<Pieces>, Status> {
        let found = match wire::parsed("image_sha256", &request.into_inner().image_sha256) {
            Ok(sha256) => self.on_record.picture(sha256).await,
            Err(refusal) => Err(refusal),
        };
        let picture = self.told(found)?;
        let pieces = pieces(picture).map(|piece| Ok(vigie::GetPictureResponse { piece }));
        Ok(Response::new(Box::pin(stream::iter(pieces))))
    }
}

/// Parts of the same bytes.
fn pieces(picture: Bytes) -> impl Iterator<Item = Bytes> {
    let starts = (0..picture.len()).step_by(PIECE_BYTES);
    starts.map(move |start| picture.slice(start..picture.len().min(start + PIECE_BYTES)))
}

fn answer(erased: Erased, still_in_use: Option<String>) -> vigie::ErasePartnerResponse {
    let Erased {
        seq,
        decisions,
        products,
        corrections,
        pictures,
    } = erased;
    vigie::ErasePartnerResponse {
        seq,
        decisions,
        products,
        corrections,
        pictures,
        still_in_use: still_in_use.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pieces_of_a_picture_are_the_picture() {
        for bytes in [0, 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES] {
            let picture = Bytes::from((0..bytes).map(|at| at as u8).collect::<Vec<u8>>());
            let all: Vec<Bytes> = pieces(picture.clone()).collect();
            assert_eq!(all.concat(), picture);
            assert!(all.iter().all(|piece| !piece.is_empty() && piece.len() <= PIECE_BYTES));
        }
    }
}
