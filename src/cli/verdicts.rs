//! `vigie verdicts`: may these known products be shown there?

use comfy_table::Cell;

use super::arguments::VerdictsArguments;
use super::classify::why;
use super::{Outcome, show};
use crate::wire::to_json;
use crate::wire::vigie::{GetVerdictsRequest, ProductKey, ProductVerdicts, Verdict, View};

pub(super) async fn run(arguments: VerdictsArguments) -> anyhow::Result<Outcome> {
    let client = arguments.server.connect().await?;
    let key = |product_id: String| ProductKey {
        partner_id: arguments.key.partner.clone(),
        product_id,
    };
    let request = GetVerdictsRequest {
        products: arguments.products.into_iter().map(key).collect(),
        countries: arguments.countries,
        ad_type: arguments.ad_type,
        facts: arguments.facts.into_iter().collect(),
        view: if arguments.full { View::Full } else { View::Basic }.into(),
    };
    let results = client.get_verdicts(request).await?.results;
    if arguments.server.json {
        for result in &results {
            let json = to_json(result, "vigie.v1.ProductVerdicts").map_err(anyhow::Error::msg)?;
            show::line(&json.to_string())?;
        }
    } else {
        show_results(&results)?;
    }
    let mut verdicts = results.iter().flat_map(|result| &result.verdicts);
    let all_allowed = verdicts.all(|verdict| verdict.verdict() == Verdict::Allow);
    Ok(if all_allowed { Outcome::Done } else { Outcome::Objection })
}

fn show_results(results: &[ProductVerdicts]) -> std::io::Result<()> {
    let mut table = show::table(&["PRODUCT", "COUNTRY", "VERDICT", "WHY"]);
    for result in results {
        let product = result.product.as_ref().map(show::product).unwrap_or_default();
        for (at, verdict) in result.verdicts.iter().enumerate() {
            let mut why = why(verdict);
            for reason in verdict.reasons.iter().filter(|reason| reason.losing) {
                why.push_str(&format!("\n  but not: {}", reason.text));
            }
            table.add_row(vec![
                Cell::new(if at == 0 { product.as_str() } else { "" }),
                Cell::new(show::country(&verdict.country)),
                show::verdict(verdict.verdict()),
                Cell::new(why),
            ]);
        }
    }
    show::print_table(&table)
}
