"""What others make of our objects: kstatus (Flux, `helm --wait`) and Argo CD's health.

Their rules, written again for tests: kstatus of sigs.k8s.io/cli-utils, and the health check for our
kinds that Argo CD is given. Neither is told anything but the object.
"""

from typing import Any, Literal

Object = dict[str, Any]
Kstatus = Literal["Terminating", "InProgress", "Failed", "Current"]
Health = Literal["Progressing", "Degraded", "Healthy"]


def kstatus(found: Object) -> Kstatus:
    """What kstatus says of an object."""
    if "deletionTimestamp" in found["metadata"]:
        return "Terminating"
    if not _is_of_this_generation(found):
        return "InProgress"
    said = _statuses(found)
    if said.get("Reconciling") == "True":
        return "InProgress"
    if said.get("Stalled") == "True":
        return "Failed"
    return "Current" if said.get("Ready", "True") == "True" else "InProgress"


def argo_cd(found: Object) -> Health:
    """What Argo CD shows of an object."""
    said = _statuses(found)
    if "deletionTimestamp" in found["metadata"] or not said or not _is_of_this_generation(found):
        return "Progressing"
    if said.get("Stalled") == "True":
        return "Degraded"
    if said.get("Paused") == "True":
        return "Healthy"
    if said.get("Reconciling") == "True":
        return "Progressing"
    return {"True": "Healthy", "False": "Degraded"}.get(said.get("Ready", ""), "Progressing")  # type: ignore[return-value] # the values are those of Health


def _is_of_this_generation(found: Object) -> bool:
    # Before the operator has looked at it there is no number, which kstatus takes for no promise;
    # our kinds always get one.
    return bool(
        found.get("status", {}).get("observedGeneration") == found["metadata"]["generation"]
    )


def _statuses(found: Object) -> dict[str, str]:
    conditions = found.get("status", {}).get("conditions") or ()
    return {each["type"]: each["status"] for each in conditions}
