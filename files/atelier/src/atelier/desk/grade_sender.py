"""Sends the queued grades to the platforms."""

from __future__ import annotations

import asyncio
import logging
from urllib.parse import urlsplit

from atelier.config.live import LiveConsumers, LiveRegistrations
from atelier.config.schema.hosts import host_of
from atelier.desk.db.answers import AnswerRepository, Arrival
from atelier.desk.db.grades import Grade, GradeQueue
from atelier.lti import outcomes11, scores13
from atelier.lti.access_tokens import PlatformTokens, ServiceError
from atelier.lti.http import PlatformClient, PlatformRequestError

log = logging.getLogger(__name__)

AT_ONCE = 8


class UndeliveredError(Exception):
    """A platform has not accepted a grade; the text says why and contains no secrets.

    Attributes:
        silent: whether the platform did not answer at all.
    """

    def __init__(self, text: str, *, silent: bool = False) -> None:
        super().__init__(text)
        self.silent = silent


class GradeSender:
    """Delivers grades to the learners' platforms.

    Args:
        queue: the queue of grades.
        answers: stores the address for each grade.
        consumers: the current LTI 1.1 consumers.
        registrations: the current LTI 1.3 registrations.
        platform_client: HTTP client for platforms.
        tokens: access tokens for the services of LTI 1.3 platforms.
    """

    def __init__(
        self,
        queue: GradeQueue,
        answers: AnswerRepository,
        consumers: LiveConsumers,
        registrations: LiveRegistrations,
        platform_client: PlatformClient,
        tokens: PlatformTokens,
    ) -> None:
        self._queue = queue
        self._answers = answers
        self._consumers = consumers
        self._registrations = registrations
        self._tokens = tokens
        self._platform_client = platform_client

    async def send_due(self) -> None:
        """Send the grades that are due in batches; failed ones are retried later.

        Once a platform does not answer, its other grades are postponed without a try, as each
        would wait for a timeout and delay the other platforms' grades.
        """
        away: dict[str, str] = {}
        while True:
            due = await asyncio.to_thread(self._queue.due, AT_ONCE)
            if not due:
                return
            await asyncio.gather(*(self._send(grade, away) for grade in due))

    async def _send(self, grade: Grade, away: dict[str, str]) -> None:
        """Send one grade and record the result.

        Args:
            grade: the grade.
            away: hosts that do not answer, with the error; updated.
        """
        who = (grade.username, grade.course, grade.exercise)
        arrival = await asyncio.to_thread(self._answers.arrival, *who)
        if arrival is None:
            await asyncio.to_thread(self._queue.wait_for_arrival, grade)
            return
        host = _host(arrival)
        if host and host in away:
            await asyncio.to_thread(self._queue.postpone, grade, away[host])
            return
        try:
            await self._deliver(arrival, grade.score)
        except UndeliveredError as error:
            if error.silent:
                away[host] = str(error)
            log.warning("grade user=%s course=%s exercise=%s not taken: %s", *who, error)
            await asyncio.to_thread(self._queue.failed, grade, str(error))
        except Exception as error:  # must not prevent the other grades from being sent
            log.exception("grade user=%s course=%s exercise=%s", *who)
            await asyncio.to_thread(self._queue.failed, grade, type(error).__name__)
        else:
            await asyncio.to_thread(self._queue.sent, grade)
            log.info("grade user=%s course=%s exercise=%s score=%.4f sent", *who, grade.score)

    async def _deliver(self, arrival: Arrival, score: float) -> None:
        """Send one score by the version of LTI that the launch used.

        Raises:
            UndeliveredError: the platform has not accepted it.
        """
        place = scores13.ScorePlace.of(arrival.services) if arrival.services else None
        if place is not None:
            await self._post_score(place, score)
        else:
            await self._replace_result(arrival, score)

    async def _post_score(self, place: scores13.ScorePlace, score: float) -> None:
        """Send a score by LTI 1.3."""
        known = {one.key: one for one in self._registrations.get().registrations}
        registration = known.get(place.registration)
        if registration is None:
            raise UndeliveredError(f"the registration {place.registration!r} is not known any more")
        _check_host(place.lineitem, registration.known_hosts, f"registration {registration.key!r}")
        try:
            token = await self._tokens.token(registration, place.client_id)
        except ServiceError as error:
            raise UndeliveredError(str(error), silent=error.silent) from None
        headers = {"Authorization": f"Bearer {token}", "Content-Type": scores13.CONTENT_TYPE}
        try:
            await self._platform_client.send(place.url, place.message(score), headers)
        except PlatformRequestError as error:
            if error.status == 401:
                self._tokens.forget(token)
            raise UndeliveredError(str(error), silent=error.silent) from None

    async def _replace_result(self, arrival: Arrival, score: float) -> None:
        """Send a score by LTI 1.1."""
        if not arrival.outcome_url or not arrival.sourcedid:
            raise UndeliveredError("the platform's launch named no outcome service")
        consumer = self._consumers.get().by_key(arrival.consumer)
        if consumer is None:
            raise UndeliveredError(f"the consumer {arrival.consumer!r} is not known any more")
        if consumer.hosts:
            _check_host(
                arrival.outcome_url, frozenset(consumer.hosts), f"consumer {consumer.key!r}"
            )
        body = outcomes11.replace_result(arrival.sourcedid, score)
        secret = consumer.secret.get_secret_value()
        try:
            headers = outcomes11.signed_headers(arrival.outcome_url, body, consumer.key, secret)
            answer = await self._platform_client.send(arrival.outcome_url, body, headers)
        except PlatformRequestError as error:
            raise UndeliveredError(str(error), silent=error.silent) from None
        except ValueError as error:
            raise UndeliveredError(str(error)) from None
        refused = outcomes11.refusal(answer)
        if refused is not None:
            said = outcomes11.description(answer)
            log.info("consumer %r, on a grade it does not take: %.300r", consumer.key, said)
            raise UndeliveredError(refused)


def _check_host(address: str, hosts: frozenset[str], launcher: str) -> None:
    """Check that the address for a grade belongs to the platform.

    Args:
        address: the address in the launch.
        hosts: the platform's hosts.
        launcher: the consumer or registration, for the message.

    Raises:
        UndeliveredError: the address is on another host.
    """
    host = host_of(address)
    if host not in hosts:
        raise UndeliveredError(
            f"{host or 'no address'} is not a host of {launcher}: where it takes grades, "
            "name it there (hosts)"
        )


def _host(arrival: Arrival) -> str:
    """Return host and port of the address for the grade; empty if there is none."""
    place = scores13.ScorePlace.of(arrival.services) if arrival.services else None
    try:
        return urlsplit(place.lineitem if place is not None else arrival.outcome_url).netloc
    except ValueError:
        return ""  # invalid address: the delivery fails with a message about it
