"""Why is this record not called? Every rule's verdict: for a record, a list, a campaign, and for a past attempt."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import msgspec

from trunkline.app.attempt_export import overrides_of_log
from trunkline.app.directory import ReferenceBook
from trunkline.app.explain.census import CensusQuery
from trunkline.app.explain.facts import NOBODY, as_it_was, last_validation, nobody, nothing
from trunkline.app.explain.overview import Overview, overview
from trunkline.app.judging.calling_times import gate_of, resolved, rules_of
from trunkline.app.judging.facts import OPEN_ATTEMPT_S, facts_of, filter_of
from trunkline.app.ports import DeskKey, Held, RecordQuery, Store
from trunkline.app.view import View
from trunkline.domain.attempt_history import attempts_of
from trunkline.domain.attempt_rules import longest_s
from trunkline.domain.attempts import AttemptStep, StoredAttempt
from trunkline.domain.campaigns import CallingList, Campaign
from trunkline.domain.enums import DoNotCallKind, RecordStatus
from trunkline.domain.facts import Busy, Facts, Rule, Validation, Verdict
from trunkline.domain.filters import COLUMNS, Compared, Operator
from trunkline.domain.objects import ObjectKind
from trunkline.domain.records import Record
from trunkline.domain.rule_sets import DEFAULT, RuleSet, overrides_about
from trunkline.domain.verdicts import free_at_s, judge
from trunkline.errors import MissingParameter, NotFound, OutOfRange

MAX_RECORDS = 20
"""Records of one explanation: a number that more records have is a switchboard; name the list or the chain then."""
MAX_GROUPS = 20
"""Campaign groups that a record is explained for; who has more names the campaign."""
MAX_HISTORY = 50
"""Rows of the attempt log that are shown of a chain."""
SAMPLE = 500
"""Contacts that are looked at one by one for a list: an estimate within five percent, for some ten milliseconds."""
MAX_SCANNED = 20_000
"""Records of a list that is read for its few READY ones, some milliseconds of the writer's turn; longer ones are
sampled by the readers, whatever is left in them."""
MAX_VERSIONS = 1000
"""Versions of a rule set that are looked through for the one that bound a past attempt."""

RECOMPUTED = (Rule.RECORD_WINDOW, Rule.CALLING_TIME, Rule.HOLIDAY, Rule.ATTEMPT_LIMIT, Rule.QUIET_TIME)
"""Rules whose verdict on a past attempt follows from the attempt log and the versions of rule sets alone."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Which records: by list, chain and place; by record id (in a list or all); by handle; or by number."""

    list_name: str | None = None
    chain_id: int | None = None
    chain_n: int | None = None
    record_id: int | None = None
    handle: int | None = None
    phone_number: str | None = None


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules say of a record for one campaign group. ``free_at_s``: see ``domain.verdicts.free_at_s``."""

    campaign_name: str
    group_name: str
    rule_set_name: str
    rule_set_version: int
    may_be_called: bool
    free_at_s: int | None
    verdicts: list[Verdict]


class RecordExplanation(msgspec.Struct, frozen=True, kw_only=True):
    """A record, what every rule says of it for each campaign that has its list, and what was tried with its chain.

    ``user_names`` are the agents in it, by id.
    """

    record: Record
    list_name: str
    at_s: int
    campaigns: list[Explained]
    history: list[StoredAttempt]
    user_names: dict[int, str] = {}


class AttemptExplanation(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the attempt log judged again by the rules as they were. ``was_allowed`` is what they say now of then.

    Names are empty for what was deleted since.
    """

    stored: StoredAttempt
    list_name: str = ""
    campaign_name: str = ""
    user_name: str = ""
    rule_set_name: str
    was_allowed: bool
    verdicts: list[Verdict]


class Explainer:
    """Explains for one contact centre, from the store and a reference book, at one moment.

    ``validation_urls`` are the pre-dial validations that the server asks; None when its configuration is not known.
    """

    def __init__(
        self,
        store: Store,
        book: ReferenceBook,
        contact_centre_id: int,
        now_ms: int,
        validation_urls: Collection[str] | None = None,
    ) -> None:
        self._store = store
        self._book = book
        self._centre = contact_centre_id
        self._now_ms = now_ms
        self._validation_urls = validation_urls
        self._now_s = now_ms // 1000

    async def records(self, target: Target, campaign_name: str | None = None) -> list[RecordExplanation]:
        """Explain the records that are meant, for one campaign or for all that have their list.

        Raises ``NotFound`` for what does not exist, ``MissingParameter`` when nothing is named.
        """
        known = await self._by_record_id(target)
        async with self._store.begin() as unit:
            view = View(unit, self._book, self._now_ms)
            found = known or await self._found(view, target)
            return [await self._record(view, record, campaign_name) for record in found]

    async def _found(self, view: View, target: Target) -> list[Record]:
        named = None if target.list_name is None else self._book.list_named(self._centre, target.list_name)
        lists = [named] if named is not None else self._book.lists_of(self._centre)
        found: list[Record] = []
        if target.handle is not None:
            held: list[Held] = await view.unit.held([DeskKey(self._centre, target.handle)])
            found = [one.record for one in held]
        elif target.chain_id is not None:
            if named is None:
                raise MissingParameter("a chain is named together with its list")
            found = await view.chain(self._centre, named.list_id, target.chain_id)
            found = [record for record in found if target.chain_n in (None, record.chain_n)]
        elif target.phone_number is not None:
            list_ids = [one.list_id for one in lists]
            found = await view.records_of_contact(
                self._centre, list_ids, DoNotCallKind.NUMBER, target.phone_number, MAX_RECORDS
            )
        elif target.record_id is None:
            raise MissingParameter("name a record: by list and chain, record id, handle or number")
        if not found:
            raise NotFound("there is no such record")
        return found[:MAX_RECORDS]

    async def _by_record_id(self, target: Target) -> Sequence[Record]:
        """The record of that number, read beside the units: no index holds it, so the lists are read for it."""
        if target.record_id is None or target.handle is not None or target.chain_id is not None:
            return ()
        named = None if target.list_name is None else self._book.list_named(self._centre, target.list_name)
        lists = [named] if named is not None else self._book.lists_of(self._centre)
        return await self._store.records_by_id(self._centre, [one.list_id for one in lists], target.record_id)

    async def _record(self, view: View, record: Record, campaign_name: str | None) -> RecordExplanation:
        groups: Sequence[Campaign | None] = self._book.groups_with_list(self._centre, record.list_id)
        if campaign_name is not None:
            self._book.campaign(self._centre, campaign_name)
            groups = [group for group in groups if group is not None and group.name == campaign_name]
        key = record.key[:3]
        history = await view.unit.attempts_of_chain(*key, MAX_HISTORY)
        busy = await self._busy(view, record)
        names = await self._user_names([record.agent_id, *(stored.row.agent_id for stored in history)])
        told = []
        for group in groups[:MAX_GROUPS] or (None,):
            for facts in await facts_of(view, group or nobody(self._centre), [record]):
                whole = msgspec.structs.replace(
                    facts,
                    campaign=group,
                    # No agent of the group gets the callback of somebody who does not work in it.
                    user_id=None if group is None or record.agent_id in group.agents else NOBODY,
                    owner_name=names.get(record.agent_id or 0, ""),
                    busy=busy,
                    validation=self._unknown_validation(group) or last_validation(history, record, group),
                )
                told.append(self._explained(whole))
        return RecordExplanation(
            record=record,
            list_name=self._book.list_by_id(self._centre, record.list_id).name,
            at_s=self._now_s,
            campaigns=told,
            history=history,
            user_names=names,
        )

    async def _user_names(self, user_ids: Iterable[int | None]) -> dict[int, str]:
        known = sorted({user_id for user_id in user_ids if user_id})
        return {u.caller.user_id: u.caller.user_name for u in await self._store.users(self._centre, known)}

    def _unknown_validation(self, group: Campaign | None) -> Validation | None:
        """A refusal when the campaign names a validation that the server never asks: then it calls nobody."""
        if self._validation_urls is None or group is None or not group.validation_url:
            return None
        if group.validation_url in self._validation_urls:
            return None
        return Validation(is_refused=True, answer=f"{group.validation_url} is not in validation_urls", at_s=self._now_s)

    def _explained(self, facts: Facts) -> Explained:
        verdicts = judge(facts)
        rules = rules_of(facts.campaign, self._book)
        return Explained(
            campaign_name=facts.campaign.name if facts.campaign else "",
            group_name=facts.campaign.group_name if facts.campaign else "",
            rule_set_name=rules.rule_set.name,
            rule_set_version=rules.version,
            may_be_called=not any(verdict.is_blocking for verdict in verdicts),
            free_at_s=free_at_s(verdicts),
            verdicts=verdicts,
        )

    async def _busy(self, view: View, record: Record) -> Busy | None:
        entries = [one for one in await view.entries_of_chain(*record.key[:3]) if not one.is_settled]
        if not entries:
            taken = await view.unit.buffer_entry(*record.key[:3])
            if taken is None:
                return None
            group = self._book.group(self._centre, taken.campaign_group_id)
            name = group.group_name if group is not None else f"number {taken.campaign_group_id}"
            until_s = taken.lease_until_ms // 1000
            return Busy(
                place=f"in the buffer of {name}",
                campaign_group_id=taken.campaign_group_id,
                since_s=taken.taken_at_ms // 1000,
                until_s=until_s,
            )
        entry = entries[0]
        names = await self._user_names([entry.user_id])
        until_ms = entry.lease_until_ms
        return Busy(
            place=f"on the desk of {names.get(entry.user_id, f'agent {entry.user_id}')}",
            since_s=entry.permitted_at_ms // 1000 or None,
            until_s=None if until_ms is None else until_ms // 1000,
        )

    # A past attempt

    async def attempts(self, target: Target) -> list[AttemptExplanation]:
        """Judge again what was permitted or blocked for the chains meant, newest first, by the rules of then."""
        known = await self._by_record_id(target)
        async with self._store.begin() as unit:
            view = View(unit, self._book, self._now_ms)
            chains = sorted({record.key[:3] for record in known or await self._found(view, target)})
            told = [
                await self._attempt(view, stored)
                for chain in chains
                for stored in await unit.attempts_of_chain(*chain, MAX_HISTORY)
                if stored.row.step in (AttemptStep.PERMITTED, AttemptStep.BLOCKED)
            ]
        return sorted(told, key=lambda one: -one.stored.seq)

    async def _attempt(self, view: View, stored: StoredAttempt) -> AttemptExplanation:
        row, at_s = stored.row, stored.row.at_ms // 1000
        rule_set = await self._rule_set(row.rule_set_id, row.rule_set_version)
        since_ms = (at_s - longest_s(rule_set.attempt_rules) - OPEN_ATTEMPT_S) * 1000
        rows = await view.unit.attempts_of(self._centre, [row.number_key], [row.person_key], since_ms)
        before = attempts_of(one for one in rows if one.seq < stored.seq)
        known = await overrides_of_log(self._store, self._book, self._centre)
        facts = Facts(
            record=as_it_was(stored),
            calling_list=CallingList(contact_centre_id=self._centre, list_id=row.list_id, name=""),
            now_s=at_s,
            campaign=None if row.campaign_id is None else nobody(self._centre, row.campaign_id),
            limits=resolved(rule_set),
            rule_set=rule_set,
            overrides=overrides_about(
                known,
                at_s,
                campaign_id=row.campaign_id,
                list_id=row.list_id,
                chain_id=row.chain_id,
                number_key=row.number_key,
            ),
            attempts=tuple(before),
            who=(row.number_key, row.person_key),
        )
        verdicts = [verdict for verdict in judge(facts) if verdict.rule in RECOMPUTED]
        calling_list = next((one for one in self._book.lists_of(self._centre) if one.list_id == row.list_id), None)
        campaign = None if row.campaign_id is None else self._book.campaign_by_id(self._centre, row.campaign_id)
        return AttemptExplanation(
            stored=stored,
            list_name=calling_list.name if calling_list is not None else "",
            campaign_name=campaign.name if campaign is not None else "",
            user_name=(await self._user_names([row.agent_id])).get(row.agent_id or 0, ""),
            rule_set_name=rule_set.name,
            was_allowed=not any(verdict.is_blocking for verdict in verdicts),
            verdicts=verdicts,
        )

    async def _rule_set(self, rule_set_id: int, version: int) -> RuleSet:
        if rule_set_id == 0:
            return DEFAULT
        key = (self._centre, ObjectKind.RULE_SET, rule_set_id)
        versions = await self._store.object_versions(key, MAX_VERSIONS)
        found = next((one.value for one in versions if one.version == version), None)
        if not isinstance(found, RuleSet):
            raise NotFound(f"the rule set {rule_set_id} of version {version} is no longer known")
        return found

    # Lists and campaigns

    async def campaign(self, name: str) -> list[Overview]:
        """A campaign, list by list, as each of its groups works it."""
        stored = self._book.object_named(self._centre, ObjectKind.CAMPAIGN, name)
        if stored is None:
            raise NotFound("there is no campaign with this campaignName")
        groups = self._book.groups_of(self._centre, stored.object_id)[:MAX_GROUPS]
        if not groups:
            raise NotFound("nobody works this campaign: it has no campaign group")
        told = []
        for group in groups:
            for entry in group.lists:
                calling_list = self._book.list_by_id(self._centre, entry.list_id)
                told.append(await self._overview(group, calling_list))
        return told

    async def list(self, name: str) -> list[Overview]:
        """A list as each campaign group works that has it; by itself when none has."""
        calling_list = self._book.list_named(self._centre, name)
        groups: Sequence[Campaign | None] = self._book.groups_with_list(self._centre, calling_list.list_id)
        return [await self._overview(group, calling_list) for group in groups[:MAX_GROUPS] or (None,)]

    async def _overview(self, group: Campaign | None, calling_list: CallingList) -> Overview:
        rules = rules_of(group, self._book)
        try:
            filtered = filter_of(self._book, calling_list)
        except OutOfRange:
            filtered = None
        facts = Facts(
            record=nothing(calling_list),
            calling_list=calling_list,
            now_s=self._now_s,
            campaign=group,
            limits=rules.limits,
            rule_set=rules.rule_set,
            passes_filter=None if filtered is None else True,
            filter_name="" if filtered is None else filtered[0],
            validation=self._unknown_validation(group),
        )
        groups = await self._store.census(
            CensusQuery(
                contact_centre_id=self._centre,
                list_id=calling_list.list_id,
                now_s=self._now_s,
                max_attempts=calling_list.max_attempts,
                condition=None if filtered is None else filtered[1],
            )
        )
        ready = sum(one.records for one in groups if one.status is RecordStatus.READY)
        is_whole = ready <= SAMPLE and sum(one.records for one in groups) <= MAX_SCANNED
        sampled = await self._sample(calling_list, is_whole=is_whole)
        async with self._store.begin() as unit:
            view = View(unit, self._book, self._now_ms)
            sample = await facts_of(view, group or nobody(self._centre), sampled)
            buffered = 0 if group is None else await unit.buffer_size(self._centre, group.group_id)
        sample = [msgspec.structs.replace(one, campaign=group) for one in sample]
        gate = gate_of(group or nobody(self._centre), calling_list, self._book, self._now_s)
        told = overview(facts, gate, groups, sample, is_whole=is_whole)
        return msgspec.structs.replace(told, buffered_chains=buffered)

    async def _sample(self, calling_list: CallingList, *, is_whole: bool) -> Sequence[Record]:
        """All READY records of a list, or one of each of ``SAMPLE`` equal parts of it."""
        if not is_whole:
            return await self._store.sample(self._centre, calling_list.list_id, SAMPLE)
        query = RecordQuery(
            contact_centre_id=self._centre,
            list_id=calling_list.list_id,
            condition=Compared(COLUMNS["record_status"], Operator.EQUAL, RecordStatus.READY.value),
            now_s=self._now_s,
            limit=SAMPLE,
        )
        async with self._store.begin() as unit:
            return await unit.records_where(query)
