"""Schedules: jobs that begin again and again."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body, Path
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from api_lambda.common import answers, api, refuse_other_parameters
from api_lambda.schedule_shapes import Run, Schedule, ScheduleRequest, Schedules, ScheduleWithRuns
from scanner_tasks.flow import schedules
from scanner_tasks.flow.schedules import run_to_json, schedule_to_json

router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]

Name = Annotated[str, Path(max_length=63, description="Name of a schedule.")]
_FAULTS = (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)


@router.post(
    "/schedules",
    summary="Add a schedule",
    description="Jobs on these buckets begin whenever the cron expression says. All is checked now, buckets too.",
    tags=["schedules"],
    responses=answers(Schedule, HTTPStatus.OK, "The schedule.", *_FAULTS, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
)
def add_schedule(request: Annotated[ScheduleRequest, Body(description="When, and what.")]) -> Schedule:
    """POST /schedules."""
    refuse_other_parameters(router.current_event.query_string_parameters)
    given = request.model_dump(exclude_none=True, exclude={"name", "cron", "time_zone"})
    made = schedules.add_schedule(request.name, request.cron, given, time_zone=request.time_zone, using=api())
    return Schedule(**schedule_to_json(made))


@router.get(
    "/schedules",
    summary="List the schedules",
    description="Every schedule with its next due times and its last run.",
    tags=["schedules"],
    responses=answers(Schedules, HTTPStatus.OK, "All of them."),
)
def list_schedules() -> Schedules:
    """GET /schedules."""
    refuse_other_parameters(router.current_event.query_string_parameters)
    return Schedules(schedules=[Schedule(**schedule_to_json(one)) for one in schedules.list_schedules(using=api())])


@router.get(
    "/schedules/<name>",
    summary="One schedule and its runs",
    description="What it begins, when it is due next, and what became of its last twenty due times.",
    tags=["schedules"],
    responses=answers(ScheduleWithRuns, HTTPStatus.OK, "The schedule.", HTTPStatus.NOT_FOUND),
)
def get_schedule(name: Name) -> ScheduleWithRuns:
    """GET /schedules/{name}."""
    refuse_other_parameters(router.current_event.query_string_parameters)
    told = schedule_to_json(schedules.find_schedule(name, using=api()))
    runs = [Run(**run_to_json(run)) for run in schedules.list_runs(name, using=api())]
    return ScheduleWithRuns(**told, runs=runs)


@router.delete(
    "/schedules/<name>",
    summary="Remove a schedule",
    description="Jobs that it began go on and stay.",
    tags=["schedules"],
    responses=answers(Schedule, HTTPStatus.OK, "The schedule as it was.", *_FAULTS),
)
def remove_schedule(name: Name) -> Schedule:
    """DELETE /schedules/{name}."""
    refuse_other_parameters(router.current_event.query_string_parameters)
    return Schedule(**schedule_to_json(schedules.remove_schedule(name, using=api())))


@router.post(
    "/schedules/<name>/pause",
    summary="Pause a schedule",
    description="Nothing begins until it is resumed; jobs that go on are not touched.",
    tags=["schedules"],
    responses=answers(Schedule, HTTPStatus.OK, "The schedule, paused.", *_FAULTS),
)
def pause_schedule(name: Name) -> Schedule:
    """POST /schedules/{name}/pause."""
    refuse_other_parameters(router.current_event.query_string_parameters)
    return Schedule(**schedule_to_json(schedules.pause_schedule(name, using=api())))


@router.post(
    "/schedules/<name>/resume",
    summary="Resume a schedule",
    description="It goes on with the next due time from now on.",
    tags=["schedules"],
    responses=answers(Schedule, HTTPStatus.OK, "The schedule, going on.", *_FAULTS),
)
def resume_schedule(name: Name) -> Schedule:
    """POST /schedules/{name}/resume."""
    refuse_other_parameters(router.current_event.query_string_parameters)
    return Schedule(**schedule_to_json(schedules.resume_schedule(name, using=api())))


@router.post(
    "/schedules/<name>/run-now",
    summary="Begin a schedule's jobs now",
    description="Besides its due times; 409 while its former run goes on.",
    tags=["schedules"],
    responses=answers(Run, HTTPStatus.OK, "The run.", *_FAULTS),
)
def run_now(name: Name) -> Run:
    """POST /schedules/{name}/run-now."""
    refuse_other_parameters(router.current_event.query_string_parameters)
    return Run(**run_to_json(schedules.run_now(name, using=api())))
