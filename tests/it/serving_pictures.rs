//! Pictures that are none: what is missing or unreadable waits for a person, what is beyond a limit is refused, nothing ends the server.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat};
use tonic::Code;
use vigie::wire::vigie::{ClassifyRequest, Decision, Product, Source, Verdict};

use crate::support::client::{catalogue, for_countries, question};
use crate::support::{Launch, Place, Server};

/// A small picture that is sound.
fn encoded(format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::new_rgb8(40, 30).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// The header of a PNG that claims this size, and nothing behind it.
fn png_header(width: u32, height: u32) -> Vec<u8> {
    let mut chunk = b"IHDR".to_vec();
    chunk.extend(width.to_be_bytes());
    chunk.extend(height.to_be_bytes());
    chunk.extend([8, 2, 0, 0, 0]);
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    bytes.extend(13_u32.to_be_bytes());
    bytes.extend(&chunk);
    bytes.extend(crc32(&chunk).to_be_bytes());
    bytes
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    })
}

fn named(mut request: ClassifyRequest) -> ClassifyRequest {
    request.product.get_or_insert_default().product_id = "p-1".into();
    request
}

fn unreadable() -> Vec<(&'static str, Vec<u8>)> {
    let jpeg = catalogue()
        .iter()
        .map(|entry| entry.bytes())
        .find(|bytes| bytes.starts_with(&[0xff, 0xd8]))
        .unwrap();
    let png = encoded(ImageFormat::Png);
    vec![
        ("no bytes at all", Vec::new()),
        ("a text", b"not a picture".to_vec()),
        ("half a PNG", png[..png.len() / 2].to_vec()),
        ("the beginning of a JPEG", jpeg[..200].to_vec()),
        ("a TIFF, which is not taken", b"II*\0\x08\0\0\0\0\0\0\0\0\0".to_vec()),
        ("a program", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec()),
        (
            "an SVG, which is not taken",
            b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec(),
        ),
        ("a PNG without pixels", png_header(30, 30)),
    ]
}

async fn decided(server: &Server, request: ClassifyRequest) -> Decision {
    server.classify(request).await.unwrap()
}

#[tokio::test]
async fn an_unreadable_picture_of_a_known_product_waits_for_a_person_with_the_cause() {
    let place = Place::shipped();
    let server = Launch::new(&place).start_ready();
    for (what, bytes) in unreadable() {
        let decision = decided(&server, for_countries(named(question(bytes)), &["FR", "SA"])).await;
        assert_eq!(decision.verdicts.len(), 2, "{what}");
        for verdict in &decision.verdicts {
            assert_eq!(
                (verdict.verdict(), verdict.reasons[0].source()),
                (Verdict::Review, Source::Quality),
                "{what}: {decision:?}"
            );
            assert!(
                verdict.reasons[0].text.len() > 20,
                "{what}: {:?}",
                verdict.reasons[0].text
            );
        }
        assert!(decision.scores.is_empty(), "{what}");
    }
}

#[tokio::test]
async fn a_product_without_a_picture_is_judged_by_the_policy_where_anything_names_it() {
    let place = Place::shipped();
    let server = Launch::new(&place).start_ready();
    for product in [
        Product {
            product_id: "p-1".into(),
            ..Product::default()
        },
        Product {
            title: "A vase".into(),
            ..Product::default()
        },
        Product {
            description: "Blue.".into(),
            ..Product::default()
        },
    ] {
        let request = ClassifyRequest {
            product: Some(product),
            ..ClassifyRequest::default()
        };
        let decision = decided(&server, request).await;
        assert_eq!(
            (decision.verdicts[0].verdict(), decision.image_sha256.as_str()),
            (Verdict::Review, "")
        );
        assert_eq!(decision.verdicts[0].reasons[0].source(), Source::Quality);
    }
}

#[tokio::test]
async fn a_picture_that_cannot_be_read_of_a_product_that_nothing_names_is_refused() {
    let place = Place::shipped();
    let server = Launch::new(&place).start_ready();
    for (what, bytes) in unreadable() {
        let status = server.classify(question(bytes)).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{what}: {status:?}");
    }
}

#[tokio::test]
async fn the_policy_says_what_becomes_of_unreadable_pictures() {
    let place = Place::shipped();
    crate::support::files::edit(&place.model().join("policy.toml"), |text| {
        text.replace(
            "on_unreadable_picture = \"REVIEW\"",
            "on_unreadable_picture = \"BLOCK\"",
        )
    });
    let server = Launch::new(&place).start_ready();
    let decision = decided(&server, named(question(b"nothing".to_vec()))).await;
    assert_eq!(decision.verdicts[0].verdict(), Verdict::Block);
}

#[tokio::test]
async fn every_format_is_recognised_by_its_bytes() {
    let place = Place::shipped();
    let server = Launch::new(&place).start_ready();
    for format in [ImageFormat::Png, ImageFormat::Bmp, ImageFormat::Gif, ImageFormat::WebP] {
        let decision = decided(&server, question(encoded(format))).await;
        assert_eq!(decision.scores.len(), 7, "{format:?}");
    }
}

#[tokio::test]
async fn a_picture_that_claims_too_much_is_refused_and_memory_does_not_follow_the_claim() {
    let place = Place::shipped();
    let server = Launch::new(&place).start_ready();
    decided(&server, catalogue()[0].question()).await;
    let before = server.memory();
    for _ in 0..20 {
        let status = server
            .classify(named(question(png_header(60_000, 60_000))))
            .await
            .unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
        assert!(status.message().starts_with("product.image"), "{status:?}");
        assert!(
            ["16384", "16 384"].iter().any(|limit| status.message().contains(limit)),
            "{status:?}"
        );
    }
    let grown = server.memory().saturating_sub(before);
    assert!(grown < 64 * 1024 * 1024, "memory grew by {grown} bytes");
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_by_name_and_memory_does_not_follow_it() {
    let place = Place::shipped();
    let server = Launch::new(&place).start_ready();
    let before = server.memory();
    for megabytes in [13, 100] {
        let status = server
            .classify(named(question(vec![0xff; megabytes * 1024 * 1024])))
            .await
            .unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{megabytes} MiB: {status:?}");
        assert!(
            status.message().contains("product.image"),
            "{megabytes} MiB: {status:?}"
        );
    }
    let grown = server.memory().saturating_sub(before);
    assert!(grown < 64 * 1024 * 1024, "memory grew by {grown} bytes");
    decided(&server, catalogue()[0].question()).await;
}
