-- EXISTS NOWHERE ELSE ------------------------------------------------------------------------------------------------

-- Captions that came beside items, WebVTT: one file for each language, which is a tag of BCP 47 in small letters.
CREATE TABLE caption (
    media    BIGINT NOT NULL REFERENCES media (id) ON DELETE CASCADE,
    language TEXT COLLATE "C" NOT NULL,
    key      TEXT   NOT NULL, -- of its blob
    bytes    BIGINT NOT NULL,
    cues     BIGINT NOT NULL,
    changed  BIGINT NOT NULL,
    PRIMARY KEY (media, language)
);
