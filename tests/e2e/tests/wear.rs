//! What use leaves behind.

use e2e::{
    Options, Res, journey,
    wear::{HUNDRED, MEMORY, WATCH},
};

/// What was made anew was once never forgotten by what it read: 1.4 to 3.5 kB a change. Now the memory stays as it is, over
/// thousands of changes too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_leave_nothing_in_memory() -> Res<()> {
    journey(Options::default().before_start(WATCH), async |page| {
        let mut held = Vec::new();
        for hundreds in 1..=6 {
            page.eval(HUNDRED).await?;
            if hundreds == 2 || hundreds == 6 {
                held.push(page.eval(MEMORY).await?.as_u64());
            }
        }
        let [Some(warm), Some(worn)] = held[..] else {
            return Err(format!("no memory was watched: {held:?}").into());
        };
        let grown = worn.saturating_sub(warm);
        assert!(grown < 256 << 10, "four hundred changes left {grown} bytes");
        Ok(())
    })
    .await
}
