//! A git server in memory: branches of whole trees.

use std::collections::BTreeMap;

use contracts::git::{Error, File, NewCommit, NewRepository, RefChange, Repositories, RepositoryId, Sources, Tree};
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use parking_lot::Mutex;

#[derive(Default)]
pub struct FakeGit {
    /// Commits of each repository, oldest first.
    pub commits: Mutex<BTreeMap<String, Vec<NewCommit>>>,
    /// Files of repositories elsewhere, by address.
    pub elsewhere: Mutex<BTreeMap<String, BTreeMap<String, File>>>,
    /// What the next calls answer.
    pub failures: Mutex<Vec<Error>>,
}

impl FakeGit {
    /// The names and texts of the last commit of a repository.
    pub fn content(&self, name: &str) -> BTreeMap<String, String> {
        let commits = self.commits.lock();
        let last = commits.get(name).and_then(|commits| commits.last());
        let text = |file: &File| String::from_utf8_lossy(&file.content).into_owned();
        last.map(|commit| commit.files.iter().map(|(name, file)| (name.clone(), text(file))).collect())
            .unwrap_or_default()
    }

    fn fail(&self) -> Result<(), Error> {
        self.failures.lock().pop().map_or(Ok(()), Err)
    }
}

impl Sources for FakeGit {
    fn resolve<'a>(&'a self, url: &'a str, revision: &'a str) -> BoxFuture<'a, Result<String, Error>> {
        Box::pin(async move {
            self.fail()?;
            if self.elsewhere.lock().contains_key(url) {
                return Ok(format!("commit-of-{revision}"));
            }
            Err(Error::Unreachable { url: url.to_owned(), why: "no route".to_owned() })
        })
    }

    fn read_tree<'a>(&'a self, url: &'a str, commit: &'a str, path: &'a str) -> BoxFuture<'a, Result<Tree, Error>> {
        Box::pin(async move {
            let elsewhere = self.elsewhere.lock();
            let files = elsewhere.get(url).ok_or_else(|| Error::NoRepository(url.to_owned()))?;
            let prefix = if path.is_empty() { String::new() } else { format!("{path}/") };
            let below =
                files.iter().filter_map(|(name, file)| Some((name.strip_prefix(&prefix)?.to_owned(), file.clone())));
            let files: BTreeMap<String, File> = below.collect();
            if files.is_empty() {
                return Err(Error::NoPath { url: url.to_owned(), commit: commit.to_owned(), path: path.to_owned() });
            }
            Ok(Tree { id: "tree".to_owned(), files })
        })
    }

    fn embedded(&self, _url: &str) -> Option<RepositoryId> {
        None
    }
}

impl Repositories for FakeGit {
    fn ensure<'a>(&'a self, new: &'a NewRepository) -> BoxFuture<'a, Result<bool, Error>> {
        Box::pin(async move {
            self.fail()?;
            Ok({
                let mut commits = self.commits.lock();
                let made = !commits.contains_key(&new.id.name);
                commits.entry(new.id.name.clone()).or_default();
                made
            })
        })
    }

    fn remove<'a>(&'a self, id: &'a RepositoryId) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            self.commits.lock().remove(&id.name);
            Ok(())
        })
    }

    fn tip<'a>(&'a self, id: &'a RepositoryId, _branch: &'a str) -> BoxFuture<'a, Result<Option<String>, Error>> {
        Box::pin(async move { Ok(self.commits.lock().get(&id.name).and_then(|commits| hash(commits.len()))) })
    }

    fn commit<'a>(&'a self, id: &'a RepositoryId, commit: NewCommit) -> BoxFuture<'a, Result<String, Error>> {
        Box::pin(async move {
            let mut repositories = self.commits.lock();
            let commits = repositories.entry(id.name.clone()).or_default();
            assert_eq!(commit.expected_parent, hash(commits.len()));
            commits.push(commit);
            Ok(hash(commits.len()).expect("there is one"))
        })
    }

    fn clone_url(&self, id: &RepositoryId) -> String {
        format!("https://git/{}/{}.git", id.owner, id.name)
    }

    fn changes(&self) -> BoxStream<'static, RefChange> {
        Box::pin(futures::stream::pending())
    }
}

fn hash(commits: usize) -> Option<String> {
    (commits > 0).then(|| format!("commit-{commits}"))
}
