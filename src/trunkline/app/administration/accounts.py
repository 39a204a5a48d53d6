"""Accounts: users with devices, roles and skills. Passwords go in and never out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence

import msgspec

from trunkline.app.accounts import USER_KIND, account_of, user_from
from trunkline.app.administration import rules as admin_rules
from trunkline.app.administration.items import Draft, Item, check_version, version_of
from trunkline.app.administration.store import AdminStore
from trunkline.app.directory import ReferenceBook
from trunkline.app.ports import Chance, Clock, ObjectChanges, User, UserWrite
from trunkline.contract.admin_kinds import KINDS, USER
from trunkline.domain.object_checks import check_account
from trunkline.domain.people import Account, Caller, Role, check_password
from trunkline.errors import AlreadyExists, AlreadyInUse, MissingParameter, NotFound, TooLarge

MAX_USERS = 100_000
"""Accounts of a contact centre: more than any that is known."""
_KIND = KINDS[USER]

HashPassword = Callable[[str], Awaitable[str]]
LogOut = Callable[[Caller], Awaitable[None]]


class Accounts:
    """The use cases of ``Administration`` for accounts.

    ``hash_password`` takes its time elsewhere; ``log_out`` ends the agent's contact-centre session.
    """

    def __init__(
        self, store: AdminStore, clock: Clock, chance: Chance, hash_password: HashPassword, log_out: LogOut
    ) -> None:
        self._store = store
        self._clock = clock
        self._chance = chance
        self._hash_password = hash_password
        self._log_out = log_out

    async def items(self, contact_centre_id: int) -> list[Item]:
        """All accounts, by number."""
        return [_item(user) for user in await self._store.users(contact_centre_id)]

    async def item(self, contact_centre_id: int, user_id: int) -> Item:
        """One account, or ``NotFound``."""
        return _item(await self._user(contact_centre_id, user_id))

    async def create(self, caller: Caller, draft: Draft, book: ReferenceBook) -> Item:
        """Make an account; it needs a password. Repeated with the same reference it is not made twice."""
        centre = caller.contact_centre_id
        account: Account = draft.value
        users = await self._store.users(centre)
        known = next((one for one in users if draft.reference is not None and one.reference == draft.reference), None)
        if known is not None:
            return await self._again(draft, known)
        if draft.password is None:
            raise MissingParameter("password is required")
        if len(users) >= MAX_USERS:
            raise TooLarge(f"there are {MAX_USERS} users already")
        _check(account, users, book)
        check_password(draft.password, account.name)
        account = msgspec.structs.replace(account, public_id=self._chance.uuid().replace("-", ""))
        user = user_from(
            account, caller.contact_centre_name, await self._hash_password(draft.password), 1, draft.reference
        )
        await self._write(caller, UserWrite(contact_centre_id=centre, user_id=0, expected_version=0, user=user), draft)
        made = await self._store.user(centre, account.name)
        assert made is not None
        return _item(made)

    async def replace(
        self, caller: Caller, user_id: int, version: int, make: Callable[[Item], Draft], book: ReferenceBook
    ) -> Item:
        """Change an account; ``AlreadyInUse`` when nobody would be left who may administer."""
        centre = caller.contact_centre_id
        users = await self._store.users(centre)
        before = _before(users, user_id, version)
        draft = make(_item(before))
        account: Account = msgspec.structs.replace(draft.value, public_id=before.caller.public_id)
        others = [user for user in users if user.caller.user_id != user_id]
        _check(account, others, book)
        if not (account.is_enabled and Role.ADMINISTRATOR in account.roles):
            _check_administrators(before, others)
        password_hash = before.password_hash
        if draft.password is not None:
            check_password(draft.password, account.name)
            password_hash = await self._hash_password(draft.password)
        reference = before.reference if draft.reference is None else draft.reference
        user = user_from(account, before.caller.contact_centre_name, password_hash, before.version, reference)
        if user == before:
            return _item(before)
        write = UserWrite(contact_centre_id=centre, user_id=user_id, expected_version=version, user=user)
        await self._write(caller, write, draft)
        return _item(msgspec.structs.replace(user, version=before.version + 1))

    async def delete(self, caller: Caller, user_id: int, version: int, reason: str, book: ReferenceBook) -> None:
        """Delete an account that nobody works with, and take it out of agent groups; the history keeps it."""
        centre = caller.contact_centre_id
        users = await self._store.users(centre)
        before = _before(users, user_id, version)
        _check_administrators(before, [user for user in users if user.caller.user_id != user_id])
        if await self._store.agent_session(centre, user_id) is not None or await self._store.desk_of(centre, user_id):
            raise AlreadyInUse("the user is logged in or has records on the desk; disable the user first")
        write = UserWrite(contact_centre_id=centre, user_id=user_id, expected_version=version, user=None)
        await self._store.change_objects(
            ObjectChanges(
                at_ms=self._clock.now_ms(),
                changed_by=caller.user_id,
                users=(write,),
                writes=admin_rules.without_user(book, centre, user_id),
                reason=reason,
                seen_version=book.version,
            )
        )

    async def log_out_if_disabled(self, contact_centre_id: int, user_id: int) -> None:
        """End the contact-centre session of an account that is disabled: records on its desk wait no longer."""
        users = await self._store.users(contact_centre_id, [user_id])
        if (
            users
            and not users[0].is_enabled
            and await self._store.agent_session(contact_centre_id, user_id) is not None
        ):
            await self._log_out(users[0].caller)

    async def _again(self, draft: Draft, known: User) -> Item:
        """The account that was made with the same reference and content; its password is not compared."""
        caller = known.caller
        key = (caller.contact_centre_id, USER_KIND, caller.user_id)
        (first,) = await self._store.object_history(*key, 2, 1) or (None,)
        made = version_of(_KIND, first).value if first is not None else None
        wanted = msgspec.structs.replace(draft.value, user_id=caller.user_id, public_id=caller.public_id)
        if made is None or _sorted(made) != _sorted(wanted):
            raise AlreadyExists("referenceId is that of another user")
        return _item(known)

    async def _write(self, caller: Caller, write: UserWrite, draft: Draft) -> None:
        await self._store.change_objects(
            ObjectChanges(at_ms=self._clock.now_ms(), changed_by=caller.user_id, users=(write,), reason=draft.reason)
        )

    async def _user(self, contact_centre_id: int, user_id: int) -> User:
        users = await self._store.users(contact_centre_id, [user_id])
        if not users:
            raise NotFound("there is no user with this id")
        return users[0]


def _check(account: Account, others: Iterable[User], book: ReferenceBook) -> None:
    check_account(account)
    admin_rules.check_references(book, _KIND, account, ())
    devices = {device.device_id for device in account.devices}
    for other in others:
        if other.caller.user_name == account.name:
            raise AlreadyExists("name is that of another user")
        for device in other.caller.devices:
            if device.device_id in devices:
                raise AlreadyExists("devices names a device of another user")


def _check_administrators(before: User, others: Iterable[User]) -> None:
    """Raise ``AlreadyInUse`` when ``before`` is the last one who may administer."""
    if not (before.is_enabled and before.caller.has_role(Role.ADMINISTRATOR)):
        return
    if not any(user.is_enabled and user.caller.has_role(Role.ADMINISTRATOR) for user in others):
        raise AlreadyInUse("this is the last administrator of the contact centre; make another one first")


def _sorted(account: Account) -> Account:
    """The account with what has no order in one."""
    return msgspec.structs.replace(
        account,
        features=tuple(sorted(account.features)),
        skills=tuple(sorted(account.skills, key=lambda held: held.skill_id)),
    )


def _item(user: User) -> Item:
    return Item(object_id=user.caller.user_id, value=account_of(user), version=user.version, reference=user.reference)


def _before(users: Sequence[User], user_id: int, version: int) -> User:
    """The account as it is; ``NotFound``, or ``StaleVersion`` when it is another version by now."""
    before = next((user for user in users if user.caller.user_id == user_id), None)
    if before is None:
        raise NotFound("there is no user with this id")
    check_version(_KIND, version, before.version)
    return before
