"""The grpcio peer of the interoperability tests: `peer.py <descriptor> server` and `peer.py <descriptor> client <host:port>`.

The descriptor is a serialized FileDescriptorProto of grpc.testing. The server prints `ready <port>`; the client prints
`ready 0` and answers each line `<case>` by `pass` or `fail <why>`. Both end when their standard input does.
"""

import sys
import threading
import time
from concurrent import futures

import grpc
from google.protobuf import descriptor_pb2, message_factory

ECHO_HEADER = "x-grpc-test-echo-initial"
ECHO_TRAILER = "x-grpc-test-echo-trailing-bin"
REQUEST_SIZES = (27182, 8, 1828, 45904)
RESPONSE_SIZES = (31415, 9, 2653, 58979)

with open(sys.argv[1], "rb") as file:
    PROTO = descriptor_pb2.FileDescriptorProto.FromString(file.read())
MESSAGES = message_factory.GetMessages([PROTO])


def message(name):
    return MESSAGES["grpc.testing." + name]


Empty = message("Empty")
SimpleRequest, SimpleResponse = message("SimpleRequest"), message("SimpleResponse")
InputRequest, InputResponse = message("StreamingInputCallRequest"), message("StreamingInputCallResponse")
OutputRequest, OutputResponse = message("StreamingOutputCallRequest"), message("StreamingOutputCallResponse")


def echo_metadata(context):
    for name, value in context.invocation_metadata():
        if name == ECHO_HEADER:
            context.send_initial_metadata(((name, value),))
        if name == ECHO_TRAILER:
            context.set_trailing_metadata(((name, value),))


def fail_if_asked(request, context):
    if request.response_status.code != 0:
        code = next(each for each in grpc.StatusCode if each.value[0] == request.response_status.code)
        context.abort(code, request.response_status.message)


def unary_call(request, context):
    echo_metadata(context)
    fail_if_asked(request, context)
    return SimpleResponse(payload={"body": bytes(request.response_size)})


def streaming_input_call(requests, _context):
    return InputResponse(aggregated_payload_size=sum(len(each.payload.body) for each in requests))


def streaming_output_call(request, _context):
    for parameter in request.response_parameters:
        yield OutputResponse(payload={"body": bytes(parameter.size)})


def full_duplex_call(requests, context):
    echo_metadata(context)
    for request in requests:
        fail_if_asked(request, context)
        yield from streaming_output_call(request, context)


def serve():
    def handler(kind, function, request, response):
        return kind(function, request.FromString, response.SerializeToString)

    handlers = {
        "EmptyCall": handler(grpc.unary_unary_rpc_method_handler, lambda request, _: request, Empty, Empty),
        "UnaryCall": handler(grpc.unary_unary_rpc_method_handler, unary_call, SimpleRequest, SimpleResponse),
        "StreamingInputCall": handler(
            grpc.stream_unary_rpc_method_handler, streaming_input_call, InputRequest, InputResponse
        ),
        "StreamingOutputCall": handler(
            grpc.unary_stream_rpc_method_handler, streaming_output_call, OutputRequest, OutputResponse
        ),
        "FullDuplexCall": handler(
            grpc.stream_stream_rpc_method_handler, full_duplex_call, OutputRequest, OutputResponse
        ),
    }
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("grpc.testing.TestService", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(f"ready {port}", flush=True)
    sys.stdin.read()
    server.stop(None)


class Stub:
    def __init__(self, channel):
        def method(kind, name, request, response, service="TestService"):
            path = f"/grpc.testing.{service}/{name}"
            return kind(path, request_serializer=request.SerializeToString, response_deserializer=response.FromString)

        self.empty = method(channel.unary_unary, "EmptyCall", Empty, Empty)
        self.unary = method(channel.unary_unary, "UnaryCall", SimpleRequest, SimpleResponse)
        self.input = method(channel.stream_unary, "StreamingInputCall", InputRequest, InputResponse)
        self.output = method(channel.unary_stream, "StreamingOutputCall", OutputRequest, OutputResponse)
        self.duplex = method(channel.stream_stream, "FullDuplexCall", OutputRequest, OutputResponse)
        self.no_method = method(channel.unary_unary, "UnimplementedCall", Empty, Empty)
        self.no_service = method(channel.unary_unary, "UnimplementedCall", Empty, Empty, "UnimplementedService")


def expect(actual, wanted):
    if actual != wanted:
        raise AssertionError(f"expected {wanted!r}, found {actual!r}")


def duplex_request(size, sent):
    return OutputRequest(response_parameters=[{"size": size}], payload={"body": bytes(sent)})


def empty_unary(stub):
    expect(stub.empty(Empty()), Empty())


def large_unary(stub):
    answer = stub.unary(SimpleRequest(response_size=314159, payload={"body": bytes(271828)}))
    expect(len(answer.payload.body), 314159)


def client_streaming(stub):
    answer = stub.input(InputRequest(payload={"body": bytes(size)}) for size in REQUEST_SIZES)
    expect(answer.aggregated_payload_size, 74922)


def server_streaming(stub):
    request = OutputRequest(response_parameters=[{"size": size} for size in RESPONSE_SIZES])
    expect(tuple(len(each.payload.body) for each in stub.output(request)), RESPONSE_SIZES)


def ping_pong(stub):
    received = []

    def requests():
        for at, size in enumerate(RESPONSE_SIZES):
            # The next one is sent when the answer to the one before has come.
            while len(received) < at:
                time.sleep(0.001)
            yield duplex_request(size, REQUEST_SIZES[at])

    for answer in stub.duplex(requests()):
        received.append(len(answer.payload.body))
    expect(tuple(received), RESPONSE_SIZES)


def empty_stream(stub):
    expect(list(stub.duplex(iter(()))), [])


def custom_metadata(stub):
    metadata = ((ECHO_HEADER, "test_initial_metadata_value"), (ECHO_TRAILER, b"\xab\xab\xab"))
    request = SimpleRequest(response_size=1, payload={"body": bytes(1)})
    _, unary = stub.unary.with_call(request, metadata=metadata)
    duplex = stub.duplex(iter((duplex_request(1, 1),)), metadata=metadata)
    expect(len(list(duplex)), 1)
    for call in (unary, duplex):
        expect(dict(call.initial_metadata())[ECHO_HEADER], "test_initial_metadata_value")
        expect(dict(call.trailing_metadata())[ECHO_TRAILER], b"\xab\xab\xab")


def fails(call, code, details=None):
    try:
        call()
    except grpc.RpcError as error:
        expect(error.code(), code)
        if details is not None:
            expect(error.details(), details)
        return
    raise AssertionError(f"expected {code}, found a success")


def status(stub, details):
    asked = {"code": 2, "message": details}
    fails(lambda: stub.unary(SimpleRequest(response_status=asked)), grpc.StatusCode.UNKNOWN, details)
    request = OutputRequest(response_status=asked)
    fails(lambda: list(stub.duplex(iter((request,)))), grpc.StatusCode.UNKNOWN, details)


def cancel_after_first_response(stub):
    cancelled = threading.Event()

    def requests():
        yield duplex_request(31415, 27182)
        # The server must not see the end before it sees the cancellation.
        cancelled.wait()

    call = stub.duplex(requests())
    expect(len(next(call).payload.body), 31415)
    call.cancel()
    cancelled.set()
    fails(lambda: list(call), grpc.StatusCode.CANCELLED)


def timeout_on_sleeping_server(stub):
    def requests():
        yield OutputRequest(payload={"body": bytes(27182)})
        time.sleep(0.1)

    fails(lambda: list(stub.duplex(requests(), timeout=0.001)), grpc.StatusCode.DEADLINE_EXCEEDED)


CASES = {
    "empty_unary": empty_unary,
    "large_unary": large_unary,
    "client_streaming": client_streaming,
    "server_streaming": server_streaming,
    "ping_pong": ping_pong,
    "empty_stream": empty_stream,
    "cancel_after_first_response": cancel_after_first_response,
    "timeout_on_sleeping_server": timeout_on_sleeping_server,
    "custom_metadata": custom_metadata,
    "status_code_and_message": lambda stub: status(stub, "test status message"),
    "special_status_message": lambda stub: status(
        stub, "\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001f608\t\n"
    ),
    "unimplemented_method": lambda stub: fails(lambda: stub.no_method(Empty()), grpc.StatusCode.UNIMPLEMENTED),
    "unimplemented_service": lambda stub: fails(lambda: stub.no_service(Empty()), grpc.StatusCode.UNIMPLEMENTED),
}


def client(target):
    stub = Stub(grpc.insecure_channel(target))
    print("ready 0", flush=True)
    for line in sys.stdin:
        try:
            CASES[line.strip()](stub)
            print("pass", flush=True)
        except Exception as error:  # whatever it is, it is the answer
            print("fail", type(error).__name__, " ".join(str(error).split()), flush=True)


if sys.argv[2] == "server":
    serve()
else:
    client(sys.argv[3])
