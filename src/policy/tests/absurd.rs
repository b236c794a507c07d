//! Everything that somebody may write by mistake, and what is told of it.

use super::language::{RULE, SOUND, assert_told};

/// What is added to a sound policy, and how the mistake begins: tables whose key says what they are about.
const ABSURD_TABLES: &[(&str, &str)] = &[
    (
        "[label.firearm]\nreview = 0.5\nblock = 9.0\n",
        "label.firearm.block: 9 is not a probability",
    ),
    (
        "[label.firearm]\nreview = 0\nblock = 0.5\n",
        "label.firearm.review: 0 would catch every picture",
    ),
    (
        "[label.firearm]\nreview = 1e-60\nblock = 0.5\n",
        "label.firearm.review: ",
    ),
    (
        "[label.firearm]\nreview = 1.0\nblock = 1.0\n",
        "label.firearm.review: 1 would let everything pass",
    ),
    (
        "[label.firearm]\nreview = 0.9\nblock = 0.5\n",
        "label.firearm.review: 0.9 is above block (0.5)",
    ),
    (
        "[label.firearm]\nreview = nan\nblock = 0.5\n",
        "label.firearm.review: NaN is not a probability",
    ),
    (
        "[label.firearm]\nreview = 0.5\nblock = inf\n",
        "label.firearm.block: inf is not a probability",
    ),
    ("[label.firearm]\nreview = 0.5\n", "label.firearm.block: missing"),
    (
        "[label.firearm]\nreview = \"0.5\"\nblock = 0.9\n",
        "label.firearm.review: \"0.5\" is not a number",
    ),
    ("[label.firearm]\nverdict = \"BLOCK\"\n", "label.firearm.from: missing"),
    (
        "[label.firearm]\nverdict = \"ALLOW\"\nfrom = 0.4\n",
        "label.firearm.from: not known here",
    ),
    (
        "[label.firearm]\nverdict = \"allow\"\nfrom = 0.4\n",
        "label.firearm.verdict: \"allow\" is not a verdict",
    ),
    (
        "[label.firearm]\nreveiw = 0.5\nreview = 0.5\nblock = 0.9\n",
        "label.firearm.reveiw: not known here",
    ),
    (
        "[label.firearm]\nreview = 0.5\nblock = 0.9\ntext = \" \"\n",
        "label.firearm.text: \" \" is not one line",
    ),
    (
        "[label.firearm]\nreview = 0.5\nblock = 0.9\nsource = \"a book\"\n",
        "label.firearm.source: \"a book\" is not an address",
    ),
    (
        "[label.firearm]\nreview = 0.5\nblock = 0.9\nreview_by = \"2026-01-05\"\n",
        "label.firearm.review_by: \"2026-01-05\" is not a day",
    ),
    (
        "[label.firearm]\nreview = 0.5\nblock = 0.9\nstarts = 2026-01-05T08:00:00Z\n",
        "label.firearm.starts: 2026-01-05T08:00:00Z is not a day",
    ),
    (
        "[label.firearm]\nreview = 0.5\nblock = 0.9\nstarts = 1066-01-05\n",
        "label.firearm.starts: 1066-01-05 is not a day",
    ),
    (
        "[label.firearm]\nreview = 0.5\nblock = 0.9\nstarts = 2026-01-05\nends = 2026-01-04\n",
        "label.firearm.ends: 2026-01-04 is before starts",
    ),
    (
        "[label.Firearm]\nreview = 0.5\nblock = 0.9\n",
        "label.Firearm: \"Firearm\" is not a label",
    ),
    ("[label]\nfirearm = 0.5\n", "label.firearm: a table is expected"),
    (
        "[country.fr.label.alcohol]\nverdict = \"ALLOW\"\n",
        "country.fr: \"fr\" is not a country",
    ),
    (
        "[country.XX.label.alcohol]\nverdict = \"ALLOW\"\n",
        "country.XX: \"XX\" is not a country",
    ),
    (
        "[country.\"\".label.alcohol]\nverdict = \"ALLOW\"\n",
        "country.\"\": the rest of the world has no country table",
    ),
    ("[country.FR]\n", "country.FR: empty"),
    (
        "[country.FR.labels.alcohol]\nverdict = \"ALLOW\"\n",
        "country.FR.labels: not known here",
    ),
    ("[thresholds]\nfirearm = 0.5\n", "thresholds: not known here"),
    ("[group.eu]\n", "group.eu: no country is in it"),
    (
        "[group.EU]\ncountries = [\"FR\"]\n",
        "group.EU: \"EU\" is not the name of a group",
    ),
    (
        "[group.eu]\ncountries = [\"FR\", \"FR\"]\n",
        "group.eu.countries[2]: \"FR\" is listed twice",
    ),
    (
        "[group.eu]\ncountries = [\"\"]\n",
        "group.eu.countries[1]: the rest of the world is no country",
    ),
    (
        "[group.eu]\ncountries = [\"FR\"]\ngroups = [\"nordic\"]\n",
        "group.eu.groups[1]: there is no group \"nordic\"",
    ),
    (
        "[group.eu]\ncountries = [\"FR\"]\ngroups = [\"eu\"]\n",
        "group.eu.groups[1]: eu would be within itself",
    ),
    (
        "[group.eu]\ncountries = [\"FR\"]\nsize = 1\n",
        "group.eu.size: not known here",
    ),
    ("[costs]\nshow_unsafe = 3\n", "costs.hide_safe: missing"),
    (
        "[costs]\nshow_unsafe = -1\nhide_safe = 1\n",
        "costs.show_unsafe: -1 is not a cost",
    ),
    (
        "[costs]\nshow_unsafe = { firearm = 1 }\nhide_safe = 1\n",
        "costs.show_unsafe.default: missing",
    ),
    (
        "[costs]\nshow_unsafe = 1\nhide_safe = 1\nreviews_per_day = 2.5\n",
        "costs.reviews_per_day: 2.5 is not a whole number",
    ),
];

/// The same of rules: what is added to one that states an id and a sentence.
const ABSURD_RULES: &[(&str, &str)] = &[
    ("verdict = \"BLOCK\"\n", "rule[x]: a rule on nothing"),
    (
        "label = \"a\"\nkeywords = { any = [\"b\"] }\nreview = 0.5\nblock = 0.9\n",
        "rule[x].keywords: a rule on label is not also one on keywords",
    ),
    (
        "keywords = { any = [\"b\"] }\nproduct = [\"p/1\"]\nverdict = \"BLOCK\"\n",
        "rule[x].product: a rule on keywords is not also one on product",
    ),
    (
        "label = \"a\"\nreview = 0.5\nblock = 9.0\n",
        "rule[x].block: 9 is not a probability",
    ),
    (
        "label = \"a\"\nreview = 0.5\nblock = 0.9\nverdicts = \"ALLOW\"\n",
        "rule[x].verdicts: not known here",
    ),
    (
        "keywords = { any = [\"b\"] }\nverdict = \"ALLOW\"\n",
        "rule[x].verdict: has no effect here",
    ),
    ("category = \"Food\"\n", "rule[x].verdict: missing"),
    (
        "category = \" > \"\nverdict = \"BLOCK\"\n",
        "rule[x].category: \" > \" says nothing",
    ),
    (
        "category = [\"Food\", \"FOOD\"]\nverdict = \"BLOCK\"\n",
        "rule[x].category[2]: \"FOOD\" is listed before in another spelling",
    ),
    (
        "product = \"p1\"\nverdict = \"BLOCK\"\n",
        "rule[x].product: \"p1\" names no product",
    ),
    ("product = []\nverdict = \"BLOCK\"\n", "rule[x].product: an empty list"),
    (
        "keywords = { any = [\"\"] }\nverdict = \"BLOCK\"\n",
        "rule[x].keywords.any[1]: \"\" is not one line",
    ),
    (
        "keywords = { any = [\"\u{301}\"] }\nverdict = \"BLOCK\"\n",
        "rule[x].keywords.any[1]: \"\\u{301}\" has nothing that can be looked for",
    ),
    (
        "keywords = { fr = [\"Arme\", \"armé\"] }\nverdict = \"BLOCK\"\n",
        "rule[x].keywords.fr[2]: \"armé\" is listed before in another spelling",
    ),
    (
        "keywords = { french = [\"arme\"] }\nverdict = \"BLOCK\"\n",
        "rule[x].keywords.french: \"french\" is not a language",
    ),
    (
        "keywords = { gb = [\"arm\"] }\nverdict = \"BLOCK\"\n",
        "rule[x].keywords.gb: \"gb\" is not a language",
    ),
    ("keywords = {}\nverdict = \"BLOCK\"\n", "rule[x].keywords: no keywords"),
    (
        "keywords = [\"arm\"]\nverdict = \"BLOCK\"\n",
        "rule[x].keywords: a table is expected, not a list",
    ),
    ("price = { min = 1 }\n", "rule[x].price.currency: missing"),
    (
        "price = { currency = \"eur\" }\n",
        "rule[x].price.currency: \"eur\" is not a currency",
    ),
    (
        "price = { currency = \"EUR\", min = 0 }\n",
        "rule[x].price.min: 0 is not an amount",
    ),
    (
        "price = { currency = \"EUR\", min = 5, max = 4 }\n",
        "rule[x].price: min (5.00) is above max (4.00)",
    ),
    (
        "price = { currency = \"EUR\", max = 4, median = 5 }\n",
        "rule[x].price: the usual price (5.00) is out of the bounds",
    ),
    (
        "price = { currency = \"EUR\", far_below = 0.1 }\n",
        "rule[x].price.far_below: nothing to be far below of",
    ),
    (
        "price = { currency = \"EUR\", median = 5, far_below = 1 }\n",
        "rule[x].price.far_below: 1 is not a share",
    ),
    (
        "label = \"a\"\nverdict = \"ALLOW\"\ncountries = [\"Fr\"]\n",
        "rule[x].countries[1]: \"Fr\" is not a country",
    ),
    (
        "label = \"a\"\nverdict = \"ALLOW\"\ngroups = [\"eu\"]\n",
        "rule[x].groups[1]: there is no group \"eu\"",
    ),
    (
        "label = \"a\"\nverdict = \"ALLOW\"\nad_type = [\"mail\", \"MAIL\"]\n",
        "rule[x].ad_type[2]: \"MAIL\" is listed twice",
    ),
    (
        "label = \"a\"\nverdict = \"ALLOW\"\npartner = 7\n",
        "rule[x].partner: 7 is not one line",
    ),
    (
        "label = \"a\"\nverdict = \"ALLOW\"\nfacts = {}\n",
        "rule[x].facts: 0 facts",
    ),
    (
        "label = \"a\"\nverdict = \"ALLOW\"\nfacts = { licence = true }\n",
        "rule[x].facts.licence: true is not a text",
    ),
    (
        "label = \"a\"\nverdict = \"ALLOW\"\nfacts = { \"a b\" = \"c\" }\n",
        "rule[x].facts.a b: \"a b\" is not a fact",
    ),
    (
        "label = \"a\"\nverdict = \"ALLOW\"\nfacts = { n = { at_least = 4, below = 4 } }\n",
        "rule[x].facts.n: no number is at least 4 and below 4",
    ),
    (
        "label = \"a\"\nverdict = \"ALLOW\"\nfacts = { n = { at_least = 4, not = \"5\" } }\n",
        "rule[x].facts.n: `not` stands alone",
    ),
    (
        "label = \"a\"\nverdict = \"ALLOW\"\nfacts = { n = { above = 4 } }\n",
        "rule[x].facts.n.above: not known here",
    ),
    (
        "label = \"a\"\nverdict = \"ALLOW\"\nfacts = { n = {} }\n",
        "rule[x].facts.n: asks nothing",
    ),
    (
        "label = \"a\"\nverdict = \"ALLOW\"\nstarts = 2026-01-05\nends = 2025-01-05\n",
        "rule[x].ends: 2025-01-05 is before starts",
    ),
];

#[test]
fn an_absurd_policy_is_refused_with_the_key_and_the_way_out() {
    for (absurd, expected) in ABSURD_TABLES {
        assert_told(&format!("{SOUND}{absurd}"), expected);
    }
    for (absurd, expected) in ABSURD_RULES {
        assert_told(&format!("{SOUND}{RULE}{absurd}"), expected);
    }
}
