//! What is on record, in SQLite and in PostgreSQL alike: the same promises, asked of both.

mod acts;
mod away;
mod damage;
mod decisions;
mod follow;
mod journal;
mod killed;
mod known;
mod model;
mod pictures;
pub mod place;
mod removal;
pub mod samples;

/// Runs each case on both databases.
macro_rules! on_both {
    ($($subject:ident: $($case:ident)+;)+) => {
        mod sqlite {
            use super::place::Place;
            $($(
                #[tokio::test(flavor = "multi_thread")]
                async fn $case() {
                    super::$subject::$case(Place::sqlite().open().await).await;
                }
            )+)+
        }
        mod postgres {
            use super::place::Place;
            $($(
                #[tokio::test(flavor = "multi_thread")]
                async fn $case() {
                    super::$subject::$case(Place::postgres().await.open().await).await;
                }
            )+)+
        }
    };
}

on_both! {
    decisions:
        a_decision_reads_back_as_it_was
        a_decision_is_kept_once
        any_text_can_be_recorded
        each_filter_finds_what_meets_it
        pages_follow_each_other_without_gap_or_double
        a_scan_gives_all_oldest_first
        a_scan_that_nobody_takes_holds_nothing_up
        a_wrong_cursor_or_limit_is_refused;
    known:
        what_is_known_is_the_last_sight_and_its_looks
        what_does_not_count_is_not_known
        known_products_are_followed_by_change
        an_imported_verdict_lasts_until_a_look;
    acts:
        acts_have_their_places_in_order
        the_same_request_gets_its_first_answer
        a_request_is_forgotten_after_a_day
        a_given_identity_is_used_once
        a_revocation_needs_a_correction_in_force
        corrections_are_found_by_what_they_are_about
        a_replay_of_the_acts_gives_the_corrections
        identities_are_held_to_a_length;
    follow:
        a_follower_skips_none_of_four_writers_events
        whoever_watches_hears_of_acts_and_changes
        two_replicas_see_each_others_acts;
    pictures:
        a_picture_is_kept_once_and_reads_back
        pictures_are_held_to_budget_and_retention
        a_picture_that_a_correction_refers_to_stays;
    removal:
        what_is_old_is_forgotten
        a_partner_is_erased_and_nobody_else
        a_finished_erasure_is_answered_by_its_request
        an_erased_partner_is_gone_from_the_files;
}
