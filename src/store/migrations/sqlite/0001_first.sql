-- The first layout. Times are seconds since the epoch, booleans are 0 and 1, lists are JSON.
--
-- Rows of one directory or application stand together: the number of their owner leads every key. `serial` counts within one
-- owner, so that memberships are small integers.

-- One row for each directory that was ever tried. `number` stands for it in other tables, so that renaming it is one row.
CREATE TABLE directory (
    number            INTEGER PRIMARY KEY,
    id                TEXT NOT NULL UNIQUE,
    revision          INTEGER NOT NULL DEFAULT 0,   -- of the accepted records
    read_at           INTEGER,                      -- the last accepted complete read
    previous_read_at  INTEGER,                      -- the one before it
    complete_at       INTEGER,                      -- the last one that was no delta
    cursor            TEXT,
    basis             TEXT NOT NULL DEFAULT '',
    user_count        INTEGER NOT NULL DEFAULT 0,   -- what the last accepted read held
    group_count       INTEGER NOT NULL DEFAULT 0,
    membership_count  INTEGER NOT NULL DEFAULT 0,
    rejected_count    INTEGER NOT NULL DEFAULT 0,
    reference_count   INTEGER NOT NULL DEFAULT 0,
    unknown_count     INTEGER NOT NULL DEFAULT 0,
    attempted_at      INTEGER,                      -- the last read that was tried, and how it failed
    failure_word      TEXT,
    failure_text      TEXT
);

-- How much a directory held, and since when: one row for each accepted state that the guards may still look at.
CREATE TABLE high_water (
    directory         INTEGER NOT NULL REFERENCES directory (number),
    since             INTEGER NOT NULL,
    user_count        INTEGER NOT NULL,
    membership_count  INTEGER NOT NULL,
    PRIMARY KEY (directory, since)
) WITHOUT ROWID;

-- What directories said. `slot`: 0 accepted, 1 suspect and kept aside.
CREATE TABLE user_record (
    directory         INTEGER NOT NULL,
    slot              INTEGER NOT NULL,
    serial            INTEGER NOT NULL,
    id                TEXT NOT NULL,
    username          TEXT NOT NULL,
    key               TEXT NOT NULL,
    display_name      TEXT NOT NULL,
    given_name        TEXT NOT NULL,
    family_name       TEXT NOT NULL,
    email             TEXT NOT NULL,
    handle            TEXT NOT NULL,
    status            TEXT NOT NULL,                -- active, inactive, unknown
    kind              TEXT,                         -- person, service, customer
    unknown           INTEGER NOT NULL,
    extra             TEXT,                         -- [["name", "value"], ...]
    PRIMARY KEY (directory, slot, serial)
) WITHOUT ROWID;

CREATE TABLE group_record (
    directory         INTEGER NOT NULL,
    slot              INTEGER NOT NULL,
    serial            INTEGER NOT NULL,
    id                TEXT NOT NULL,
    name              TEXT NOT NULL,
    key               TEXT NOT NULL,
    description       TEXT NOT NULL,
    handle            TEXT NOT NULL,
    unknown           INTEGER NOT NULL,
    PRIMARY KEY (directory, slot, serial)
) WITHOUT ROWID;

-- `kind` of the target: 0 user, 1 group. Both ends are serials.
CREATE TABLE member (
    directory         INTEGER NOT NULL,
    slot              INTEGER NOT NULL,
    kind              INTEGER NOT NULL,
    grp               INTEGER NOT NULL,
    target            INTEGER NOT NULL,
    PRIMARY KEY (directory, slot, kind, grp, target)
) WITHOUT ROWID;

-- Members that nothing answers to. `kind`: 0 user, 1 group, null either.
CREATE TABLE reference (
    directory         INTEGER NOT NULL,
    slot              INTEGER NOT NULL,
    serial            INTEGER NOT NULL,
    grp               INTEGER NOT NULL,
    kind              INTEGER,
    handle            TEXT NOT NULL,
    PRIMARY KEY (directory, slot, serial)
) WITHOUT ROWID;

-- Records that could not be taken. `kind`: 0 user, 1 group.
CREATE TABLE rejected_record (
    directory         INTEGER NOT NULL,
    slot              INTEGER NOT NULL,
    serial            INTEGER NOT NULL,
    kind              INTEGER NOT NULL,
    id                TEXT NOT NULL,
    key               TEXT NOT NULL,
    handle            TEXT NOT NULL,
    label             TEXT NOT NULL,
    fault             TEXT NOT NULL,
    PRIMARY KEY (directory, slot, serial)
) WITHOUT ROWID;

-- One row for each application that was ever pushed or tried.
CREATE TABLE application (
    number            INTEGER PRIMARY KEY,
    id                TEXT NOT NULL UNIQUE,
    push              INTEGER NOT NULL DEFAULT 0,   -- counts committed pushes
    pinned            TEXT NOT NULL DEFAULT '{}',   -- {"directory id": revision}
    basis             TEXT NOT NULL DEFAULT '',
    configured        TEXT NOT NULL DEFAULT '',     -- digest of the configuration that the last push followed
    reread_at         INTEGER,
    pushed_at         INTEGER,
    planned_at        INTEGER,
    first_applied_at  INTEGER,
    failed_at         INTEGER,
    failure_word      TEXT,
    failure_text      TEXT,
    account_places    INTEGER NOT NULL DEFAULT 0,   -- places given out, so that none is used twice
    group_places      INTEGER NOT NULL DEFAULT 0
);

-- Accounts as last seen, and their links. Linked if and only if `origin` is not null.
CREATE TABLE account (
    application       INTEGER NOT NULL,
    serial            INTEGER NOT NULL,             -- the place
    remote_id         TEXT NOT NULL,
    name              TEXT NOT NULL,
    key               TEXT NOT NULL,
    display_name      TEXT NOT NULL,
    given_name        TEXT NOT NULL,
    family_name       TEXT NOT NULL,
    email             TEXT NOT NULL,
    directory_name    TEXT NOT NULL,
    external_id       TEXT NOT NULL,
    active            INTEGER NOT NULL,
    present           INTEGER NOT NULL,
    directory         TEXT NOT NULL,                -- the directory entry's id
    user_id           TEXT NOT NULL,
    origin            TEXT,                         -- created, adopted
    off_by_us         INTEGER NOT NULL,
    mail              TEXT NOT NULL,
    person            TEXT NOT NULL,
    tied              INTEGER NOT NULL,
    unlisted          INTEGER NOT NULL,             -- made here and not listed since
    absent_since      INTEGER,
    absent_for        INTEGER NOT NULL,
    left_at           INTEGER,
    PRIMARY KEY (application, serial)
) WITHOUT ROWID;

CREATE TABLE app_group (
    application       INTEGER NOT NULL,
    serial            INTEGER NOT NULL,
    remote_id         TEXT NOT NULL,
    name              TEXT NOT NULL,
    key               TEXT NOT NULL,
    description       TEXT NOT NULL,
    present           INTEGER NOT NULL,
    directory         TEXT NOT NULL,
    group_id          TEXT NOT NULL,
    origin            TEXT,
    absent_since      INTEGER,
    absent_for        INTEGER NOT NULL,
    left_at           INTEGER,
    PRIMARY KEY (application, serial)
) WITHOUT ROWID;

-- `kind` of the target: 0 account, 1 group. Both ends are serials.
CREATE TABLE app_member (
    application       INTEGER NOT NULL,
    kind              INTEGER NOT NULL,
    grp               INTEGER NOT NULL,
    target            INTEGER NOT NULL,
    ours              INTEGER NOT NULL,
    PRIMARY KEY (application, kind, grp, target)
) WITHOUT ROWID;

-- What was about to be sent and is not settled yet.
CREATE TABLE intent (
    number            INTEGER PRIMARY KEY,
    application       INTEGER NOT NULL REFERENCES application (number),
    body              TEXT NOT NULL
);

-- The history: what was done to one account or to one group.
CREATE TABLE change (
    number            INTEGER PRIMARY KEY,
    application       INTEGER NOT NULL REFERENCES application (number),
    at                INTEGER NOT NULL,
    subject           TEXT NOT NULL,                -- account, group
    place             INTEGER NOT NULL,
    name              TEXT NOT NULL,
    key               TEXT NOT NULL,
    text              TEXT NOT NULL,
    reason            TEXT NOT NULL,
    class             TEXT,                         -- addition, removal, deactivation
    active_delta      INTEGER NOT NULL,
    given             TEXT,                         -- [place, ...]
    taken             TEXT
);
CREATE INDEX change_by_time ON change (application, at);

-- What is known and not made. `waiting`: 0 held for a person, 1 waiting for a clock or for certainty. A held row stays for a
-- while after it is gone, because an operator may still approve the set that it was shown in.
CREATE TABLE held (
    application       INTEGER NOT NULL REFERENCES application (number),
    serial            INTEGER NOT NULL,
    waiting           INTEGER NOT NULL,
    subject           TEXT NOT NULL,
    change            TEXT NOT NULL,
    reason            TEXT NOT NULL,
    detail            TEXT NOT NULL,
    first_seen_at     INTEGER NOT NULL,
    from_push         INTEGER NOT NULL,             -- the first push that showed it
    gone_push         INTEGER,                      -- the first push that no longer showed it
    gone_at           INTEGER,
    PRIMARY KEY (application, serial)
) WITHOUT ROWID;

-- The sets that an approval names: what an application holds for one reason at one push, or the suspect read of a directory.
CREATE TABLE held_set (
    number            INTEGER PRIMARY KEY,
    id                TEXT NOT NULL,
    application       INTEGER REFERENCES application (number),
    directory         INTEGER REFERENCES directory (number),
    reason            TEXT NOT NULL,
    push              INTEGER NOT NULL,             -- 0 for a directory
    summary           TEXT,                         -- of a suspect read
    seen_at           INTEGER NOT NULL,
    replaced_at       INTEGER
);
CREATE INDEX held_set_by_id ON held_set (id);

CREATE TABLE approval (
    number            INTEGER PRIMARY KEY,
    held_set          INTEGER NOT NULL REFERENCES held_set (number),
    only_names        TEXT,                         -- ["folded name", ...]; null for the whole set
    approved_at       INTEGER NOT NULL,
    expires_at        INTEGER NOT NULL
);

-- Changes that an application refuses, push after push. `wanted` is a digest of what would be written: with another value it
-- is another change.
CREATE TABLE refusal (
    application       INTEGER NOT NULL REFERENCES application (number),
    subject           TEXT NOT NULL,
    change            TEXT NOT NULL,
    wanted            TEXT NOT NULL,
    count             INTEGER NOT NULL,
    text              TEXT NOT NULL,
    next_at           INTEGER NOT NULL,
    PRIMARY KEY (application, subject, change, wanted)
) WITHOUT ROWID;

-- The passes, for `status`. `outcome` is `cut_off` where the process died.
CREATE TABLE pass (
    number            INTEGER PRIMARY KEY,
    started_at        INTEGER NOT NULL,
    finished_at       INTEGER,
    started_by        TEXT NOT NULL,
    outcome           TEXT,
    counts            TEXT                          -- JSON, without what is nought
);
