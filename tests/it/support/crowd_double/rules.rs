//! How the double behaves where servers differ or where nobody could say how they do. Each rule names its source by its mark in
//! the reference: \[C\] confirmed, \[K\] background knowledge, \[?\] not known. What is not confirmed is run both ways.

/// What a server does when a membership or a child group that is already there is given again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// 409 with `MEMBERSHIP_ALREADY_EXISTS`: the reason is \[C\], the status \[K\].
    Conflict,
    /// 201 as if nothing had been there: older servers \[K\].
    Silent,
}

/// What a server does when an account or group that is already there is created again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CreateAgain {
    /// 400 with `INVALID_USER` or `INVALID_GROUP` \[K\].
    Invalid,
    /// 409 with the same reasons \[?\].
    Conflict,
    /// 201, and nothing changes \[?\].
    Silent,
}

/// How `/event` is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Events {
    /// 404: an old server \[C S12\].
    Absent,
    /// Served; a token that is not known gets this status: 410 \[K\], 400 or 404 \[?\].
    Served { expired: u16 },
}

/// Which of the groups a membership event of groups is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChildEvents {
    /// `group` is the parent and `childGroups` are named \[?\].
    ByParent,
    /// `group` is the child and `parentGroups` are named \[?\].
    ByChild,
}

/// What paging by offset over a list that others change may show \[K\].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paging {
    /// Every entity once.
    Sound,
    /// Each page after the first begins with the last entity of the one before it.
    Repeats,
    /// Each page after the first lacks the entity that it should begin with.
    Skips,
    /// Whatever is asked for, the first page is shown.
    Forever,
}

/// The double's rules. The defaults are those of a present Crowd as far as that is known.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    /// What stands before `/rest` in every path: `/crowd`, or nothing \[C S1\].
    pub(crate) context: &'static str,
    /// Users show their `key` \[C S2, S3\]; older servers do not \[?\].
    pub(crate) keys: bool,
    /// `GET /user?key=` is not understood and gets this status: servers that show keys, and do not look up by them \[?\].
    pub(crate) no_key_lookup: Option<u16>,
    /// `expand` is understood by `/search` \[C S3\]; else names alone are shown \[?\].
    pub(crate) expands: bool,
    /// The list inside of `attributes`: `attributes` \[C S3\] or `attribute` \[C S2\].
    pub(crate) attribute_list: &'static str,
    /// `active` is shown as a text; taken as one in any case \[C KB\].
    pub(crate) active_as_text: bool,
    /// The size of a page that nobody named \[K\].
    pub(crate) page_default: usize,
    /// The largest page, whatever is asked for \[?\].
    pub(crate) page_cap: usize,
    pub(crate) paging: Paging,
    /// `/group/membership` is there; older servers lack it \[C CWD-2576\].
    pub(crate) membership_list: bool,
    pub(crate) events: Events,
    /// The flag `incrementalSynchronisationAvailable`; `None` leaves it out \[C S12\].
    pub(crate) incremental: Option<bool>,
    pub(crate) child_events: ChildEvents,
    pub(crate) membership_again: Again,
    pub(crate) create_again: CreateAgain,
    /// A 201 shows what was created \[?\].
    pub(crate) create_shows: bool,
    /// An account is not created without a password \[K\].
    pub(crate) password_needed: bool,
    /// An account is made active, whatever was sent \[?\].
    pub(crate) creates_active: bool,
    /// Attributes are part of what `PUT /user` and `PUT /group` replace \[?\].
    pub(crate) put_replaces_attributes: bool,
    /// The status of `OPERATION_FAILED` for a rename onto a name that is taken: 500 \[C CWD-4819\], later 4xx \[K\].
    pub(crate) rename_taken: u16,
    /// The status when nobody has the name that shall log in: 400 \[CC S4, S5\] or 404 \[?\].
    pub(crate) login_unknown: u16,
    /// Groups that the product puts every new account into \[K\].
    pub(crate) default_groups: Vec<String>,
    /// Groups may be members of groups; else `NESTED_GROUPS_NOT_SUPPORTED` \[K\].
    pub(crate) nested: bool,
    /// The application may write; else 403 with `APPLICATION_PERMISSION_DENIED` \[C S4, S7\].
    pub(crate) writable: bool,
    /// The caller's address is in the application's list; else 403 with a page in HTML \[CC KB\].
    pub(crate) address_allowed: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Rules {
            context: "/crowd",
            keys: true,
            no_key_lookup: None,
            expands: true,
            attribute_list: "attributes",
            active_as_text: false,
            page_default: 1000,
            page_cap: usize::MAX,
            paging: Paging::Sound,
            membership_list: true,
            events: Events::Served { expired: 410 },
            incremental: Some(true),
            child_events: ChildEvents::ByParent,
            membership_again: Again::Conflict,
            create_again: CreateAgain::Invalid,
            create_shows: true,
            password_needed: true,
            creates_active: false,
            put_replaces_attributes: true,
            rename_taken: 400,
            login_unknown: 400,
            default_groups: Vec::new(),
            nested: true,
            writable: true,
            address_allowed: true,
        }
    }
}

impl Rules {
    /// Another product of the same protocol, which differs in everything that is not confirmed.
    pub(crate) fn other() -> Rules {
        Rules {
            context: "",
            keys: false,
            attribute_list: "attribute",
            active_as_text: true,
            page_default: 50,
            page_cap: 50,
            membership_list: false,
            events: Events::Absent,
            incremental: None,
            child_events: ChildEvents::ByChild,
            membership_again: Again::Silent,
            create_again: CreateAgain::Conflict,
            create_shows: false,
            password_needed: false,
            put_replaces_attributes: false,
            rename_taken: 500,
            login_unknown: 404,
            ..Rules::default()
        }
    }
}
