//! The rules of a VM's policy as members read them: one fixed layout in the page.
//!
//! Filled from a policy that was checked; what a rule means is `pinion-policy`'s to
//! say. Messages are not here: a member names a rule by its number.

/// The most rules.
pub const RULES: usize = 64;

/// The most VMs that the rules can lead to.
pub const PEERS: usize = 8;

/// The most UTF-16 units that the patterns of all rules have together.
pub const POOL: usize = 2048;

/// One rule.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// A number of `policy::rules::Channel`.
    pub channel: u8,
    /// A number of `policy::rules::Effect`.
    pub effect: u8,
    /// Which of making and opening it decides: bits of `policy::rules::Action`.
    pub actions: u8,
    /// In which directories its names are: bits of `policy::rules::Places`.
    pub places: u8,
    /// Which of the peers it is about, where it is about one.
    pub peer: u8,
    /// Always zero.
    pub reserved: u8,
    /// Where its pattern begins in the pool, in units.
    pub start: u16,
    /// The pattern's length in units.
    pub length: u16,
}

impl Rule {
    /// One that has no effect.
    pub const EMPTY: Self = Self {
        channel: u8::MAX,
        effect: u8::MAX,
        actions: 0,
        places: 0,
        peer: 0,
        reserved: 0,
        start: 0,
        length: 0,
    };
}

/// All rules of a VM, in their order.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Rules {
    /// Which channels have rules: a bit for each number of a channel. Zero where
    /// the VM has none, so that one look decides.
    pub channels: u32,
    /// How many of `rules` are used.
    pub count: u32,
    /// The ids of the VMs that rules lead to; zero for one that is not there.
    pub peers: [u64; PEERS],
    /// The rules.
    pub rules: [Rule; RULES],
    /// Their patterns.
    pub pool: [u16; POOL],
}

impl Rules {
    /// No rules.
    pub const EMPTY: Self = Self {
        channels: 0,
        count: 0,
        peers: [0; PEERS],
        rules: [Rule::EMPTY; RULES],
        pool: [0; POOL],
    };

    /// The used rules, each with its pattern; one that is outside of the pool, which
    /// only a damaged page has, is empty and matches nothing.
    pub fn all(&self) -> impl Iterator<Item = (&Rule, &[u16])> {
        let used = self.rules.get(..self.count as usize).unwrap_or(&[]);
        used.iter().map(|rule| {
            let start = usize::from(rule.start);
            let pattern = self.pool.get(start..start + usize::from(rule.length));
            (rule, pattern.unwrap_or(&[]))
        })
    }

    /// The id of the VM that `rule` is about; `None` when it is not there.
    #[must_use]
    pub fn peer(&self, rule: &Rule) -> Option<u64> {
        let id = self.peers.get(usize::from(rule.peer)).copied();
        id.filter(|&id| id != 0)
    }

    /// Adds a rule with this pattern; `None` when there is no room.
    pub fn push(&mut self, rule: Rule, pattern: impl Iterator<Item = u16>) -> Option<()> {
        let last = self.count.checked_sub(1).map(|last| last as usize);
        let start = match last {
            None => 0,
            Some(last) => {
                let last = self.rules.get(last)?;
                usize::from(last.start) + usize::from(last.length)
            }
        };
        let mut length = 0;
        for unit in pattern {
            *self.pool.get_mut(start + length)? = unit;
            length += 1;
        }
        *self.rules.get_mut(self.count as usize)? = Rule {
            start: u16::try_from(start).ok()?,
            length: u16::try_from(length).ok()?,
            ..rule
        };
        self.channels |= 1_u32.checked_shl(rule.channel.into()).unwrap_or(0);
        self.count += 1;
        Some(())
    }

    /// Whether the counts are such as are written here.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.count as usize <= RULES && (self.count == 0) == (self.channels == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(channel: u8) -> Rule {
        Rule {
            channel,
            ..Rule::EMPTY
        }
    }

    #[test]
    fn rules_come_back_in_their_order() {
        let mut rules = Rules::EMPTY;
        assert!(rules.is_sound());
        rules.push(rule(1), [1, 2].into_iter()).expect("room");
        rules.push(rule(3), [].into_iter()).expect("room");
        rules.push(rule(1), [3].into_iter()).expect("room");
        assert_eq!((rules.channels, rules.count), (0b1010, 3));
        assert!(rules.is_sound());
        let mut all = rules.all().map(|(rule, pattern)| (rule.channel, pattern));
        assert_eq!(all.next(), Some((1, &[1, 2][..])));
        assert_eq!(all.next(), Some((3, &[][..])));
        assert_eq!(all.next(), Some((1, &[3][..])));
        assert_eq!(all.next(), None);
    }

    #[test]
    fn what_has_no_room_is_refused() {
        let mut rules = Rules::EMPTY;
        for _ in 0..RULES {
            rules.push(rule(0), [7; 8].into_iter()).expect("room");
        }
        assert!(rules.push(rule(0), [].into_iter()).is_none());
        let mut rules = Rules::EMPTY;
        rules.push(rule(0), [7; POOL].into_iter()).expect("room");
        assert!(rules.push(rule(0), [7].into_iter()).is_none());
        assert_eq!(rules.count, 1);
    }

    #[test]
    fn damage_reads_as_no_rule() {
        let mut rules = Rules::EMPTY;
        rules.push(rule(0), [7].into_iter()).expect("room");
        rules.rules[0].start = u16::MAX;
        assert_eq!(
            rules.all().next().map(|(_, pattern)| pattern.len()),
            Some(0)
        );
        rules.count = u32::MAX;
        assert_eq!(rules.all().count(), 0);
        assert!(!rules.is_sound());
    }
}
