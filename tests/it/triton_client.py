"""An unmodified Triton client against a real server: what its users do must work as it does with Triton.

Run by the test of the same name, which starts the server and says where it is. The last tests take models out of service, so the order counts.
"""

import os
import pathlib
import queue

import grpc
import numpy as np
import pytest
import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException

ADDRESS = os.environ["VIGIE_TEST_GRPC"]
PICTURE = pathlib.Path(os.environ["VIGIE_TEST_PICTURE"]).read_bytes()
MODEL = "adsafety"
# The same network without a manifest, with a config.pbtxt beside it.
PLAIN = "plain"


@pytest.fixture(scope="module")
def client():
    with triton.InferenceServerClient(ADDRESS) as connected:
        yield connected


@pytest.fixture(scope="module")
def shape(client):
    """The network's input without its batch dimension."""
    (pixels,) = [tensor for tensor in client.get_model_metadata(MODEL, "1").inputs if tensor.datatype == "FP32"]
    return list(pixels.shape[1:])


def tensor(name, values, datatype):
    sent = triton.InferInput(name, list(values.shape), datatype)
    sent.set_data_from_numpy(values)
    return sent


def pixels(values):
    return tensor("pixels", values, "FP32")


def pictures(*encoded):
    return tensor("image", np.array([[picture] for picture in encoded], dtype=np.object_), "BYTES")


def refused(call, code, *words):
    with pytest.raises(InferenceServerException) as failure:
        call()
    assert failure.value.status() == f"StatusCode.{code}", failure.value
    for word in words:
        assert word in failure.value.message(), failure.value


def test_the_server_and_its_models_are_live_and_ready(client):
    assert client.is_server_live() and client.is_server_ready()
    assert client.is_model_ready(MODEL) and client.is_model_ready(MODEL, "1")
    assert not client.is_model_ready("guess") and not client.is_model_ready(MODEL, "99")


def test_metadata_names_what_callers_send_and_receive(client, shape):
    server = client.get_server_metadata()
    assert server.name == "vigie" and "statistics" in server.extensions
    model = client.get_model_metadata(MODEL)
    assert model.platform == "onnxruntime_onnx" and "1" in model.versions
    assert {(i.name, i.datatype) for i in model.inputs} == {("pixels", "FP32"), ("image", "BYTES")}
    assert shape[0] == 3
    (output,) = model.outputs
    assert (output.name, output.datatype, output.shape[0]) == ("probabilities", "FP32", -1)


def test_the_configuration_is_complete(client, shape):
    config = client.get_model_config(MODEL, "1").config
    assert config.max_batch_size > 0 and config.HasField("model_transaction_policy")
    assert {i.name: list(i.dims) for i in config.input} == {"pixels": shape, "image": [1]}
    assert all(i.optional for i in config.input)
    given = client.get_model_config(PLAIN, as_json=True)["config"]
    assert given["max_batch_size"] == 4 and given["dynamic_batching"]["max_queue_delay_microseconds"] == "100"
    assert [i["name"] for i in given["input"]] == ["pixels"]


def test_tensors_are_answered_with_probabilities_whatever_their_batch(client, shape):
    values = np.random.default_rng(7).standard_normal((3, *shape), dtype=np.float32)
    together = client.infer(MODEL, [pixels(values)], "1").as_numpy("probabilities")
    assert together.shape[0] == 3 and ((together >= 0) & (together <= 1)).all()
    for row, value in zip(together, values):
        alone = client.infer(MODEL, [pixels(value[None])], "1").as_numpy("probabilities")
        assert (alone[0] == row).all()


def test_encoded_pictures_are_answered_too(client):
    answer = client.infer(MODEL, [pictures(PICTURE, PICTURE)], model_version="1", request_id="seven")
    assert (answer.get_response().id, answer.get_response().model_version) == ("seven", "1")
    first, second = answer.as_numpy("probabilities")
    assert (first == second).all()
    wanted = [triton.InferRequestedOutput("probabilities", class_count=2)]
    classes = client.infer(MODEL, [pictures(PICTURE)], "1", outputs=wanted).as_numpy("probabilities")
    value, index, label = classes[0][0].decode().split(":")
    assert classes.shape == (1, 2) and label and float(value) == pytest.approx(first.max(), abs=1e-5)
    assert int(index) == first.argmax()


def test_a_model_without_a_manifest_gives_its_own_tensors(client, shape):
    values = np.zeros((2, *shape), dtype=np.float32)
    answer = client.infer(PLAIN, [pixels(values)], outputs=[triton.InferRequestedOutput("logits")])
    assert answer.as_numpy("logits").shape[0] == 2


def test_mistakes_are_refused_with_what_was_expected_and_what_was_got(client, shape):
    good = np.zeros((1, *shape), dtype=np.float32)
    refused(lambda: client.infer("guess", [pixels(good)]), "NOT_FOUND", "Request for unknown model: 'guess' is not found")
    refused(lambda: client.infer(MODEL, [pixels(good)], "99"), "NOT_FOUND", "Request for unknown model", "version 99")
    refused(lambda: client.infer(MODEL, [pixels(good)], "one"), "INVALID_ARGUMENT", "model_version")
    refused(lambda: client.infer(MODEL, [pixels(good[:, :1])]), "INVALID_ARGUMENT", "expected", "got")
    refused(lambda: client.infer(MODEL, [pixels(good[0])]), "INVALID_ARGUMENT", "expected", "got")
    refused(lambda: client.infer(MODEL, [tensor("guess", good, "FP32")]), "INVALID_ARGUMENT", "expected", "got")
    refused(lambda: client.infer(MODEL, [tensor("pixels", good.astype(np.float64), "FP64")]), "INVALID_ARGUMENT", "got")
    refused(lambda: client.infer(MODEL, [pixels(good), pictures(PICTURE)]), "INVALID_ARGUMENT", "exactly one")
    refused(lambda: client.infer(MODEL, [pictures(b"no picture")]), "INVALID_ARGUMENT")
    wrong = [triton.InferRequestedOutput("logits")]
    refused(lambda: client.infer(MODEL, [pixels(good)], outputs=wrong), "INVALID_ARGUMENT", "probabilities")
    refused(lambda: client.infer(PLAIN, [pixels(good[0])]), "INVALID_ARGUMENT", "expected", "got")
    refused(lambda: client.infer(MODEL, [pixels(good)], timeout=1), "DEADLINE_EXCEEDED")


def test_statistics_count_each_request(client, shape):
    def counted(name):
        (model,) = client.get_inference_statistics(name, "1").model_stats
        return model

    # Two at once: a model with a manifest judges picture by picture, so that no answer depends on its neighbours; another runs them together.
    for name, runs in ((MODEL, 6), (PLAIN, 3)):
        before = counted(name)
        for _ in range(3):
            client.infer(name, [pixels(np.zeros((2, *shape), dtype=np.float32))], "1")
        after = counted(name)
        assert after.inference_count == before.inference_count + 6
        assert after.execution_count == before.execution_count + runs
        for part in ("success", "queue", "compute_infer"):
            grown = getattr(after.inference_stats, part).count - getattr(before.inference_stats, part).count
            assert grown == runs, part
        assert after.inference_stats.compute_infer.ns > before.inference_stats.compute_infer.ns
        assert after.last_inference >= before.last_inference
    assert {model.name for model in client.get_inference_statistics().model_stats} == {MODEL, PLAIN}


def test_a_stream_answers_in_order_and_survives_mistakes(client, shape):
    answers = queue.Queue()
    client.start_stream(callback=lambda result, error: answers.put((result, error)))
    for number in range(20):
        name = "guess" if number == 5 else MODEL
        values = np.full((1, *shape), number / 20, dtype=np.float32)
        client.async_stream_infer(name, [pixels(values)], model_version="1", request_id=str(number))
    got = [answers.get(timeout=60) for _ in range(20)]
    client.stop_stream()
    assert "unknown model: 'guess'" in got[5][1].message()
    rest = [result.get_response().id for result, error in got if error is None]
    assert rest == [str(number) for number in range(20) if number != 5]


def test_concurrent_calls_are_all_answered(client, shape):
    answers = queue.Queue()
    values = np.zeros((1, *shape), dtype=np.float32)
    for _ in range(40):
        client.async_infer(MODEL, [pixels(values)], model_version="1", callback=lambda result, error: answers.put((result, error)))
    got = [answers.get(timeout=60) for _ in range(40)]
    assert [error for _, error in got if error is not None] == []


def test_what_is_not_offered_says_so(client):
    refused(lambda: client.register_system_shared_memory("a", "/a", 16), "UNIMPLEMENTED", "shared memory")
    refused(client.get_system_shared_memory_status, "UNIMPLEMENTED", "shared memory")
    refused(client.get_cuda_shared_memory_status, "UNIMPLEMENTED", "shared memory")
    assert client.get_trace_settings(as_json=True)["settings"]["trace_mode"]["value"] == ["opentelemetry"]
    refused(lambda: client.update_trace_settings(settings={"trace_level": ["OFF"]}), "UNIMPLEMENTED", "configuration")
    assert "log_format" in client.get_log_settings(as_json=True)["settings"]
    refused(lambda: client.update_log_settings({"log_verbose_level": 1}), "UNIMPLEMENTED", "configuration")


def test_the_standard_health_service_answers_beside(client):
    with grpc.insecure_channel(ADDRESS) as channel:
        check = channel.unary_unary("/grpc.health.v1.Health/Check")
        assert check(b"", timeout=10) == b"\x08\x01"


def test_models_are_unloaded_and_loaded_by_name(client, shape):
    good = [pixels(np.zeros((1, *shape), dtype=np.float32))]
    states = {(m.name, m.version): m.state for m in client.get_model_repository_index().models}
    assert states[(MODEL, "1")] == "READY"
    config = '{"max_batch_size": 1}'
    refused(lambda: client.load_model(PLAIN, config=config), "INVALID_ARGUMENT", "config", "repository")
    refused(lambda: client.load_model("guess"), "NOT_FOUND", "guess")
    client.unload_model(PLAIN)
    assert not client.is_model_ready(PLAIN)
    plain = [(m.state, m.reason) for m in client.get_model_repository_index().models if m.name == PLAIN]
    assert plain == [("UNAVAILABLE", "unloaded")]
    refused(lambda: client.infer(PLAIN, good), "NOT_FOUND", "Request for unknown model", PLAIN)
    client.load_model(PLAIN)
    assert client.is_model_ready(PLAIN)
    client.infer(PLAIN, good)
