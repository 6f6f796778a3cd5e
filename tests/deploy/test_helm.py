"""The Helm chart: what it renders is valid Kubernetes, hardened, and says what the code does."""

import json
import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from streams.cli.main import COMMANDS
from streams.engine.options import EngineOptions
from streams.engine.producer import CLOSE_SECONDS
from streams.settings import PREFIX, load
from tests.deploy.commands import explain, settings_of
from tests.deploy.operators import ROOT, go_tool, run

CHART = ROOT / "deploy" / "helm" / "widget-streams"
VALUES = Path(__file__).parent / "values"
CASES = sorted(path.stem for path in VALUES.glob("*.yaml"))
KUBERNETES = "1.35.0"
SCHEMAS = (
    "deployment-apps-v1",
    "job-batch-v1",
    "networkpolicy-networking-v1",
    "poddisruptionbudget-policy-v1",
    "service-v1",
    "statefulset-apps-v1",
)
DEFAULTS = load({}, environ={})
Manifest = dict[str, Any]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def helm() -> Path:
    return go_tool("helm")


def rendered(helm: Path, values: str, *more: str) -> list[Manifest]:
    """Return the manifests of a release named `calls`."""
    told = run(helm, "template", "calls", CHART, "--values", VALUES / f"{values}.yaml", *more)
    assert told.returncode == 0, told.stderr
    return [manifest for manifest in yaml.safe_load_all(told.stdout) if manifest]


def of_kind(manifests: list[Manifest], *kinds: str) -> list[Manifest]:
    return [manifest for manifest in manifests if manifest["kind"] in kinds]


def pods(manifests: list[Manifest]) -> dict[str, Manifest]:
    """Return the pod templates by component."""
    templates = [one["spec"]["template"] for one in of_kind(manifests, "StatefulSet", "Deployment", "Job")]
    return {one["metadata"]["labels"]["app.kubernetes.io/component"]: one["spec"] for one in templates}


@pytest.mark.parametrize("values", CASES)
def test_helm_lint_has_nothing_to_say(helm: Path, values: str) -> None:
    """Strictly: warnings are failures."""
    told = run(helm, "lint", "--strict", CHART, "--values", VALUES / f"{values}.yaml")
    assert told.returncode == 0, told.stdout
    assert "[WARNING]" not in told.stdout


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("kafka.bootstrapServers=", "bootstrapServers"),
        ("kafka.bootstrapServers=kafka", "bootstrapServers"),
        ("tokenKey.secret.name=", "tokenKey/secret/name"),
        ("gateway.sitesSecret.name=", "gateway/sitesSecret/name"),
        ("serve.tokensSecret.name=", "serve/tokensSecret/name"),
        ("kafka.securityProtocol=TLS", "securityProtocol"),
        ("kafka.securityProtocol=SASL_SSL", "kafka/sasl"),
        ("worker.terminationGracePeriodSeconds=5", "terminationGracePeriodSeconds"),
        ("worker.replicaCount=3", "replicaCount"),
        ("networkPolicy.kafkaPorts={}", "kafkaPorts"),
    ],
)
def test_wrong_values_are_named(helm: Path, change: str, named: str) -> None:
    """The schema of the values refuses what is missing, misspelt or out of bounds, before anything is installed."""
    told = run(helm, "template", "calls", CHART, "--values", VALUES / "least.yaml", "--set", change)
    assert told.returncode != 0
    assert named in told.stderr


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give Kubernetes' own schemas as kubeconform reads them: their references lead to files, not to the network."""
    folder = tmp_path_factory.mktemp("schemas")
    source = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema" / f"v{KUBERNETES}-local-strict"
    for name in ("_definitions", *SCHEMAS):
        schema = json.loads((source / f"{name}.json").read_text(encoding="utf-8"))
        schema.pop("$id", None)
        text = json.dumps(schema).replace('"/api/_definitions.json', '"_definitions.json')
        (folder / f"{name}.json").write_text(text, encoding="utf-8")
    return folder


def kubeconform(schemas: Path, manifests: Path) -> Any:
    location = f"{schemas}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json"
    told = run(go_tool("kubeconform"), "-strict", "-output", "json", "-schema-location", location, manifests)
    return json.loads(told.stdout)["resources"]


@pytest.mark.parametrize("values", CASES)
def test_kubernetes_takes_what_is_rendered(helm: Path, schemas: Path, tmp_path: Path, values: str) -> None:
    """Every manifest fits Kubernetes' own schema, unknown fields refused."""
    manifests = rendered(helm, values)
    path = tmp_path / "manifests.yaml"
    path.write_text(yaml.safe_dump_all(manifests), encoding="utf-8")
    assert kubeconform(schemas, path) == []
    path.write_text(yaml.safe_dump_all([*manifests, {"apiVersion": "v1", "kind": "Nonsense"}]), encoding="utf-8")
    assert len(kubeconform(schemas, path)) == 1


def test_kubeconform_complains_of_a_bad_manifest(helm: Path, schemas: Path, tmp_path: Path) -> None:
    """The check can fail: a misspelt field and a wrong type are found."""
    manifests = rendered(helm, "least")
    worker = of_kind(manifests, "StatefulSet")[0]
    worker["spec"]["replica"] = 2
    of_kind(manifests, "Deployment")[0]["spec"]["replicas"] = "two"
    path = tmp_path / "manifests.yaml"
    path.write_text(yaml.safe_dump_all(manifests), encoding="utf-8")
    assert {one["kind"] for one in kubeconform(schemas, path)} == {"StatefulSet", "Deployment"}


@pytest.mark.parametrize("values", CASES)
def test_every_pod_is_hardened(helm: Path, values: str) -> None:
    """Not root, nothing to write but /tmp in memory, no rights, no token of the cluster, bounded memory."""
    found = pods(rendered(helm, values))
    assert found
    for pod in found.values():
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["securityContext"]["runAsUser"] == 10001
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False
        (container,) = pod["containers"]
        security = container["securityContext"]
        assert security["readOnlyRootFilesystem"]
        assert security["allowPrivilegeEscalation"] is False
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["limits"]["memory"]
        writable = [mount["name"] for mount in container["volumeMounts"] if not mount.get("readOnly")]
        assert writable == ["tmp"]


@pytest.mark.parametrize("values", CASES)
def test_secrets_are_referred_to_and_mounted(helm: Path, values: str) -> None:
    """No manifest holds a secret; every file that a variable names lies in a mounted secret."""
    manifests = rendered(helm, values)
    assert not of_kind(manifests, "Secret")
    for pod in pods(manifests).values():
        (container,) = pod["containers"]
        mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
        secrets = {volume["name"] for volume in pod["volumes"] if "secret" in volume}
        files = [one["value"] for one in container["env"] if one["name"].endswith("_FILE")]
        assert {mounts[str(Path(file).parent)] for file in files} == secrets
        assert not any(one["name"].endswith(("_PASSWORD", "TOKEN_KEY")) for one in container["env"])


@pytest.mark.parametrize("component", ["worker", "gateway", "serve", "topics"])
def test_every_command_is_ours(helm: Path, component: str) -> None:
    """Flags exist and take their values, variables are settings with right values."""
    (container,) = pods(rendered(helm, "secured"))[component]["containers"]
    arguments = [str(one).replace("$(POD_NAME)", "calls-widget-streams-worker-0") for one in container["args"]]
    variables = {one["name"]: one["value"] for one in container["env"] if "value" in one}
    explain(arguments)
    settings_of(variables)


def test_a_worker_has_the_name_of_its_pod(helm: Path) -> None:
    """Static membership: the name comes from the StatefulSet, is legal for Kafka, and is the same after a restart."""
    manifests = rendered(helm, "least")
    (worker,) = of_kind(manifests, "StatefulSet")
    (container,) = pods(manifests)["worker"]["containers"]
    assert container["args"] == ["worker", "--instance-id", "$(POD_NAME)"]
    assert container["env"][0] == {
        "name": "POD_NAME",
        "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}},
    }
    assert settings_of({PREFIX + "INSTANCE_ID": f"{worker['metadata']['name']}-0"}).instance_id
    assert worker["spec"]["serviceName"] in {one["metadata"]["name"] for one in of_kind(manifests, "Service")}


def test_a_worker_has_time_to_commit(helm: Path) -> None:
    """The grace is longer than a transaction and its aftermath may take."""
    pod = pods(rendered(helm, "least"))["worker"]
    longest = EngineOptions("kafka:9092", "group", "slot").transaction_timeout_seconds + CLOSE_SECONDS
    assert pod["terminationGracePeriodSeconds"] > longest
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    least = schema["properties"]["worker"]["properties"]["terminationGracePeriodSeconds"]["minimum"]
    assert least > longest


def test_a_start_is_not_cut_short(helm: Path) -> None:
    """A worker may wait for Kafka as long as its settings say before the probe gives up."""
    (container,) = pods(rendered(helm, "least"))["worker"]["containers"]
    probe = container["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] > DEFAULTS.broker_wait_seconds + 60


def test_a_gateway_has_time_to_drain(helm: Path) -> None:
    """The grace is longer than notice, drain and the wait for Kafka together."""
    if "gateway" not in COMMANDS:
        pytest.skip("this build has no gateway")
    whole = DEFAULTS.gateway_notice_seconds + DEFAULTS.gateway_drain_seconds + DEFAULTS.gateway_ack_seconds
    pod = pods(rendered(helm, "least"))["gateway"]
    assert pod["terminationGracePeriodSeconds"] > whole
    probe = pod["containers"][0]["readinessProbe"]
    assert probe["periodSeconds"] * probe.get("failureThreshold", 3) < DEFAULTS.gateway_notice_seconds


def test_ports_probes_services_and_policies_agree(helm: Path) -> None:
    """Where a service listens is where it is probed, found, scraped and let in."""
    manifests = rendered(helm, "secured")
    for component, pod in pods(manifests).items():
        if component == "topics":
            continue
        (container,) = pod["containers"]
        (port,) = container["ports"]
        listens = {one["name"]: one["value"] for one in container["env"] if one["name"].endswith("_PORT")}
        assert list(listens.values()) == [str(port["containerPort"])]
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            assert container[probe]["httpGet"]["port"] == port["name"]
        (service,) = [one for one in of_kind(manifests, "Service") if one["metadata"]["name"].endswith(component)]
        assert service["spec"]["ports"][0]["targetPort"] == port["name"]
        (policy,) = [one for one in of_kind(manifests, "NetworkPolicy") if one["metadata"]["name"].endswith(component)]
        assert policy["spec"]["ingress"][0]["ports"] == [{"protocol": "TCP", "port": port["containerPort"]}]
        assert policy["spec"]["egress"][0]["ports"] == [{"protocol": "TCP", "port": 9093}]
        assert policy["spec"]["podSelector"]["matchLabels"] == service["spec"]["selector"]


def test_selectors_find_their_pods(helm: Path) -> None:
    """Labels that selectors go by are on the pods, and hold nothing that changes with a release."""
    manifests = rendered(helm, "least")
    labels = {
        one["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/component"]: one["spec"]["template"][
            "metadata"
        ]["labels"]
        for one in of_kind(manifests, "StatefulSet", "Deployment")
    }
    for one in of_kind(manifests, "StatefulSet", "Deployment", "PodDisruptionBudget"):
        wanted = one["spec"]["selector"]["matchLabels"]
        assert wanted.items() <= labels[wanted["app.kubernetes.io/component"]].items()
        assert "app.kubernetes.io/version" not in wanted
    assert len(of_kind(manifests, "PodDisruptionBudget")) == 3


def test_topics_are_made_before_the_rest(helm: Path) -> None:
    """A hook: an upgrade that brings a topic creates it before the new workers look for it."""
    (job,) = of_kind(rendered(helm, "least"), "Job")
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"


def test_what_is_switched_off_leaves_nothing(helm: Path) -> None:
    """Without gateway, serve, topics and policies there is the worker alone."""
    kinds = sorted(one["kind"] for one in rendered(helm, "workers-only"))
    assert kinds == ["Service", "StatefulSet"]


def test_the_example_of_the_documentation_is_taken(helm: Path, tmp_path: Path) -> None:
    """The values that docs/deploying.md shows are enough and right."""
    text = (ROOT / "docs" / "deploying.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    path = tmp_path / "values.yaml"
    path.write_text(example, encoding="utf-8")
    told = run(helm, "lint", "--strict", CHART, "--values", path)
    assert told.returncode == 0, told.stdout


def test_the_chart_says_the_version_of_the_project() -> None:
    """Chart and image are of one release."""
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{chart["appVersion"]}"' in text
    assert chart["version"] == chart["appVersion"]
