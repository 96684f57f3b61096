//! A line of progress on standard error: only on a terminal, and only for runs that take longer than half a second.

use leaklint::check::Progress;
use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

/// Shows progress until it is stopped.
pub struct Ticker {
    /// What the run reports to; none where nobody looks.
    pub progress: Option<Arc<Progress>>,
    thread: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Ticker {
    /// Starts, unless nobody looks.
    pub fn start(off: bool) -> Self {
        if off || !io::stderr().is_terminal() {
            return Ticker { progress: None, thread: None };
        }
        let progress = Arc::new(Progress::default());
        let seen = Arc::clone(&progress);
        let (stop, stopped) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let mut wait = Duration::from_millis(500);
            let mut shown = false;
            while stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                let _ = write!(io::stderr(), "\r\x1b[2K{}", words(&seen));
                let _ = io::stderr().flush();
                shown = true;
                wait = Duration::from_millis(100);
            }
            if shown {
                let _ = write!(io::stderr(), "\r\x1b[2K");
            }
        });
        Ticker { progress: Some(progress), thread: Some((stop, thread)) }
    }

    /// Takes the line away.
    pub fn stop(self) {
        if let Some((stop, thread)) = self.thread {
            drop(stop);
            let _ = thread.join();
        }
    }
}

fn words(progress: &Progress) -> String {
    let total = progress.total.load(Ordering::Relaxed);
    if progress.judging.load(Ordering::Relaxed) {
        format!("leaklint: {total} files, looking for leaks")
    } else if total > 0 {
        format!("leaklint: reading {} of {total} files", progress.done.load(Ordering::Relaxed))
    } else {
        "leaklint: looking for files".to_owned()
    }
}
