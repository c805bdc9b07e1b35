//! The obligations of an application, each as a function of the application and of whoever works on it beside us.

use anyhow::{Context as _, bail, ensure};
use futures_util::future::LocalBoxFuture;
use usersyncd::applications::Application;
use usersyncd::model::{Batch, Holding, Outcome, Refusal, What};

use super::directories::Verdict;
use super::dropping;
use super::plans::{
    accounts, difference, done, external_id, fields, is_of_the_change, not_made, one_field, same,
    settle, today, tomorrow,
};
use crate::support::push::Push;

/// An application, and whoever works on it beside us.
pub(super) struct World {
    pub(super) application: Box<dyn Application>,
    pub(super) operator: Box<dyn Operator>,
}

/// Whoever works on an application beside us, past the connector.
pub(super) trait Operator {
    /// Makes an account by hand. Where accounts cannot be switched off it is on.
    fn add_account<'a>(&'a mut self, name: &'a str, active: bool) -> LocalBoxFuture<'a, ()>;

    /// Deletes an account by hand.
    fn remove_account<'a>(&'a mut self, name: &'a str) -> LocalBoxFuture<'a, ()>;

    /// The application can no longer be reached.
    fn cut(&mut self);

    /// It can be reached again, and holds what it held.
    fn restore(&mut self);

    /// Every account and whether it is on, in any order.
    fn accounts(&mut self) -> LocalBoxFuture<'_, Vec<(String, bool)>>;

    /// Everything that it holds, also what no plan ever names: a line for each thing, sorted.
    fn dump(&mut self) -> LocalBoxFuture<'_, Vec<String>>;
}

type Check = for<'a> fn(&'a dyn Application, &'a mut dyn Operator) -> LocalBoxFuture<'a, Verdict>;

/// Every obligation under its number.
const OBLIGATIONS: [(&str, Check); 7] = [
    ("A1", |it, operator| {
        Box::pin(everything_listed(it, operator))
    }),
    ("A2", |it, operator| Box::pin(twice_is_once(it, operator))),
    ("A3", |it, operator| Box::pin(external_ids(it, operator))),
    ("A4", |it, operator| {
        Box::pin(classified_answers(it, operator))
    }),
    ("A5", |it, operator| {
        Box::pin(nothing_else_touched(it, operator))
    }),
    ("A6", |it, operator| {
        Box::pin(dropped_anywhere(it, operator))
    }),
    ("A7", |it, operator| Box::pin(batches(it, operator))),
];

/// So many awaits a call never has.
const AWAITS_MAX: usize = 500;

/// One change to be tried, where the application is able to make it.
type Try<'t> = (bool, &'t dyn for<'a> Fn(Push<'a>) -> Push<'a>);

/// Holds an application to every obligation, each in a world of its own.
pub(super) async fn hold(world: impl AsyncFn() -> World) {
    let mut broken = Vec::new();
    for (number, _) in OBLIGATIONS {
        if let Err(fault) = check(number, world().await).await {
            broken.push(format!("{number}: {fault:#}"));
        }
    }
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

/// Holds an application to one obligation.
pub(super) async fn check(number: &str, mut world: World) -> Verdict {
    let found = OBLIGATIONS.iter().find(|it| it.0 == number);
    let (_, check) = found.with_context(|| format!("there is no {number}"))?;
    settle(&*world.application).await?;
    check(&*world.application, &mut *world.operator).await
}

/// A1: everything is listed, inactive accounts and those of others too, or it is an error.
async fn everything_listed(application: &dyn Application, operator: &mut dyn Operator) -> Verdict {
    operator.add_account("gerda", false).await;
    let observed = application.accounts(&Holding::default()).await?;
    let listed = observed.accounts.iter();
    let listed = listed.map(|it| (observed.pool.get(it.name).to_owned(), it.active));
    let (mut listed, mut there): (Vec<_>, _) = (listed.collect(), operator.accounts().await);
    listed.sort();
    there.sort();
    ensure!(
        listed == there,
        "listed are {listed:?}, there are {there:?}"
    );
    operator.cut();
    let listing = application.accounts(&Holding::default()).await;
    ensure!(listing.is_err(), "what cannot be reached was listed");
    Ok(())
}

/// A2: a change that is made again makes nothing more, whatever is answered.
async fn twice_is_once(application: &dyn Application, operator: &mut dyn Operator) -> Verdict {
    let able = application.abilities();
    let records = tomorrow();
    let fields = fields(able);
    let tries: [Try<'_>; 11] = [
        (true, &|it| it.create("gerda")),
        (able.groups, &|it| it.create_group("new")),
        (able.groups, &|it| {
            it.members("makers", &["fritz"], &[], &["emil"])
        }),
        (able.nest, &|it| it.children("makers", &["sellers"], &[])),
        (able.deactivate, &|it| {
            it.update("emil", "emil", What::DEACTIVATE)
        }),
        (able.describe_groups, &|it| {
            it.update_group("sellers", "sellers", What::DESCRIPTION)
        }),
        (able.rename_accounts, &|it| {
            it.update("emil", "erna", What::RENAME)
        }),
        (able.rename_groups, &|it| {
            it.update_group("makers", "crew", What::RENAME)
        }),
        (able.delete_groups, &|it| it.delete_group("sellers")),
        (able.delete_accounts, &|it| it.delete("fritz")),
        (!fields.is_empty(), &|it| it.update("dora", "dora", fields)),
    ];
    for (number, (_, plan)) in tries.iter().enumerate().filter(|it| it.1.0) {
        let push = plan(Push::now(application, &records).await);
        done(&push.send_in_portions(application).await)?;
        let once = operator.dump().await;
        let again = push.send_in_portions(application).await;
        same(&once, &operator.dump().await).with_context(|| format!("plan {number}"))?;
        for outcome in again {
            let settled = match &outcome {
                Outcome::Done { .. } | Outcome::Skipped => true,
                Outcome::Failed(it) => is_of_the_change(it),
            };
            ensure!(settled, "plan {number}: {outcome:?}");
        }
    }
    Ok(())
}

/// A3: the stable id is stored, in what is made and in what is taken over.
async fn external_ids(application: &dyn Application, operator: &mut dyn Operator) -> Verdict {
    if !application.abilities().fields.external_id {
        return Ok(());
    }
    operator.add_account("gerda", true).await;
    let records = tomorrow();
    let what = What::ADOPT.with(What::EXTERNAL_ID);
    let push = Push::now(application, &records).await;
    let push = push.update("gerda", "gerda", what);
    done(&push.send_in_portions(application).await)?;
    let observed = application.accounts(&Holding::default()).await?;
    for (name, id) in [("dora", "id-dora"), ("gerda", "id-gerda")] {
        let stored = external_id(&observed, name)?;
        ensure!(stored == id, "{name} is stored as {stored:?}");
    }
    Ok(())
}

/// A4: every answer is classified: what is refused, what rests on an old listing, what cannot be reached.
async fn classified_answers(application: &dyn Application, operator: &mut dyn Operator) -> Verdict {
    let able = application.abilities();
    let records = tomorrow();
    let observed = application.accounts(&Holding::default()).await?;
    let push = || Push::against(observed.clone(), &records);
    let (create, again) = (push().create("gerda"), push().create("gerda"));
    let rename = push().update("emil", "gerda", What::RENAME);
    let fields = fields(able).with(What::DEACTIVATE);
    let update = push().update("emil", "emil", fields);

    operator.add_account("gerda", true).await;
    let before = operator.dump().await;
    not_made(&create.send_in_portions(application).await).context("the name is taken")?;
    if able.rename_accounts {
        not_made(&rename.send_in_portions(application).await).context("the new name is taken")?;
    }
    same(&before, &operator.dump().await)?;
    operator.remove_account("emil").await;
    not_made(&update.send_in_portions(application).await).context("the account is gone")?;

    operator.remove_account("gerda").await;
    operator.cut();
    let listing = application.accounts(&Holding::default()).await;
    ensure!(
        matches!(listing, Err(Refusal::Unavailable(_))),
        "what cannot be reached is not called so"
    );
    let unreached = again.send_in_portions(application).await;
    ensure!(
        matches!(*unreached, [Outcome::Failed(Refusal::Unavailable(_))]),
        "{unreached:?}"
    );
    operator.restore();
    done(&again.send_in_portions(application).await)
}

/// A5: what the change does not name is the same afterwards, byte by byte.
async fn nothing_else_touched(
    application: &dyn Application,
    operator: &mut dyn Operator,
) -> Verdict {
    let able = application.abilities();
    operator.add_account("gerda", true).await;
    let before = operator.dump().await;
    let (today, tomorrow) = (today(able), tomorrow());
    let (there, back) = one_field(able);
    let push = Push::now(application, &tomorrow).await;
    done(
        &push
            .update("dora", "dora", there)
            .send_in_portions(application)
            .await,
    )?;
    let (gone, come) = difference(&before, &operator.dump().await);
    let named = |it: &Vec<String>| it.len() == 1 && it[0].contains("dora");
    ensure!(named(&gone) && named(&come), "{gone:?} became {come:?}");
    let push = Push::now(application, &today).await;
    done(
        &push
            .update("dora", "dora", back)
            .send_in_portions(application)
            .await,
    )?;
    same(&before, &operator.dump().await).context("a field and back")?;

    if able.groups {
        let push = Push::now(application, &today).await;
        let push = push.members("sellers", &["fritz", "gerda"], &[], &[]);
        done(&push.send_in_portions(application).await)?;
        let push = Push::now(application, &today).await;
        let push = push.members("sellers", &[], &[], &["fritz", "gerda"]);
        done(&push.send_in_portions(application).await)?;
        same(&before, &operator.dump().await).context("members and back")?;
    }
    if able.delete_accounts {
        let push = Push::now(application, &tomorrow).await.create("hanna");
        done(&push.send_in_portions(application).await)?;
        let push = Push::now(application, &tomorrow).await.delete("hanna");
        done(&push.send_in_portions(application).await)?;
        same(&before, &operator.dump().await).context("an account and back")?;
    }
    Ok(())
}

/// A6: a call that is dropped is found again by the next listing: all of it was made, or none.
async fn dropped_anywhere(application: &dyn Application, operator: &mut dyn Operator) -> Verdict {
    let able = application.abilities();
    let records = tomorrow();
    let before = accounts(application).await?;
    for awaits in 1..AWAITS_MAX {
        let mut push = Push::now(application, &records).await.create("gerda");
        let mut expect = vec!["gerda"];
        if able.batch == Batch::Whole {
            push = push.create("hanna");
            expect.push("hanna");
        }
        let call = dropping::at_await(awaits, push.send(application)).await;
        let after = accounts(application).await?;
        let (gone, come) = difference(&before, &after);
        ensure!(gone.is_empty(), "{gone:?} is gone");
        if come.is_empty() {
            ensure!(call.is_none(), "a call came to its end and did nothing");
            continue;
        }
        ensure!(come == expect, "a call was dropped and left {come:?}");
        let there = operator.accounts().await.len();
        ensure!(there == after.len(), "{there} accounts, {after:?} listed");
        return Ok(());
    }
    bail!("a call has more than {AWAITS_MAX} awaits")
}

/// A7: one bad change stops nobody else, but where all of a plan happens or nothing does.
async fn batches(application: &dyn Application, operator: &mut dyn Operator) -> Verdict {
    let records = tomorrow();
    let push = Push::now(application, &records).await;
    let push = push.create("hanna").create("gerda").create("ilse");
    operator.add_account("gerda", true).await;
    let before = operator.dump().await;
    let outcomes = push.send_in_portions(application).await;
    let failed = |it: &&Outcome| matches!(it, Outcome::Failed(_));
    ensure!(
        outcomes.iter().filter(failed).count() == 1 && failed(&&outcomes[1]),
        "the bad change is not named: {outcomes:?}"
    );
    let names = accounts(application).await?;
    let made = ["hanna", "ilse"].map(|it| names.iter().any(|name| name == it));
    let told = [0, 2].map(|it| matches!(outcomes[it], Outcome::Done { .. }));
    ensure!(made == told, "{outcomes:?}, and listed are {names:?}");
    match application.abilities().batch {
        Batch::Whole => {
            ensure!(outcomes[0] == Outcome::Skipped && outcomes[2] == Outcome::Skipped);
            same(&before, &operator.dump().await)
        }
        Batch::One => {
            ensure!(made == [true, true], "{outcomes:?}");
            Ok(())
        }
        Batch::Many(most) => {
            ensure!(most > 0, "a call takes nothing");
            Ok(())
        }
    }
}
