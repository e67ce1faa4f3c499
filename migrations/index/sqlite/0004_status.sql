-- EXISTS NOWHERE ELSE ------------------------------------------------------------------------------------------------

-- Whether a project is still looked after (PEP 792), where somebody has said so. Without a row it is active.
CREATE TABLE status (
    index_name TEXT    NOT NULL,
    project    TEXT    NOT NULL, -- normalised
    state      TEXT    NOT NULL, -- active, archived, quarantined, deprecated
    reason     TEXT    NOT NULL, -- '' for none
    changed_at INTEGER NOT NULL, -- microseconds since 1970
    changed_by TEXT    NOT NULL,
    PRIMARY KEY (index_name, project)
) STRICT, WITHOUT ROWID;
