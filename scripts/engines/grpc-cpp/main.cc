// The gRPC C++ peer: `grpc-cpp server` and `grpc-cpp client <host:port>`; see grpc-go/main.go for what it says and hears.
// Messages are byte buffers that nobody decodes, one completion queue, one thread: the fastest that gRPC C++ offers.
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>
#include <string>
#include <thread>

namespace {

constexpr int kInFlight = 100;

grpc::ByteBuffer BufferOf(const std::string& bytes) {
  grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

std::string BytesOf(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  buffer.Dump(&slices);
  std::string bytes;
  for (const auto& slice : slices) bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return bytes;
}

// One call on the server, from the request for it to its end; deletes itself.
class ServerCall {
 public:
  ServerCall(grpc::AsyncGenericService* service, grpc::ServerCompletionQueue* queue)
      : service_(service), queue_(queue), stream_(&context_) {
    service_->RequestCall(&context_, &stream_, queue_, queue_, this);
  }

  void Proceed(bool ok) {
    switch (state_) {
      case State::kWaiting:
        if (!ok) return delete this;
        new ServerCall(service_, queue_);
        state_ = State::kReading;
        stream_.Read(&message_, this);
        return;
      case State::kReading:
        if (!ok) return Finish(grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "no message"));
        if (context_.method() == "/bench.Echo/ServerStream") return StartStream();
        state_ = State::kFinishing;
        stream_.WriteAndFinish(message_, grpc::WriteOptions(), grpc::Status::OK, this);
        return;
      case State::kStreaming:
        if (!ok) return delete this;
        return WriteNext();
      case State::kFinishing:
        delete this;
    }
  }

 private:
  enum class State { kWaiting, kReading, kStreaming, kFinishing };

  // fixed32 count = 1, fixed32 size = 2
  void StartStream() {
    const std::string request = BytesOf(message_);
    if (request.size() != 10) return Finish(grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "expected 10 bytes"));
    uint32_t size;
    std::memcpy(&left_, request.data() + 1, 4);
    std::memcpy(&size, request.data() + 6, 4);
    message_ = BufferOf(std::string(size, '\0'));
    state_ = State::kStreaming;
    WriteNext();
  }

  void WriteNext() {
    if (left_-- == 0) return Finish(grpc::Status::OK);
    stream_.Write(message_, this);
  }

  void Finish(const grpc::Status& status) {
    state_ = State::kFinishing;
    stream_.Finish(status, this);
  }

  grpc::AsyncGenericService* service_;
  grpc::ServerCompletionQueue* queue_;
  grpc::GenericServerContext context_;
  grpc::GenericServerAsyncReaderWriter stream_;
  grpc::ByteBuffer message_;
  State state_ = State::kWaiting;
  uint32_t left_ = 0;
};

int Serve() {
  grpc::AsyncGenericService service;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterAsyncGenericService(&service);
  auto queue = builder.AddCompletionQueue();
  auto server = builder.BuildAndStart();
  if (server == nullptr) return 1;
  new ServerCall(&service, queue.get());
  std::cout << "ready " << port << std::endl;
  std::thread([] {
    std::string line;
    while (std::getline(std::cin, line)) {
    }
    std::_Exit(0);
  }).detach();
  void* tag;
  bool ok;
  while (queue->Next(&tag, &ok)) static_cast<ServerCall*>(tag)->Proceed(ok);
  return 0;
}

struct ClientCall {
  grpc::ClientContext context;
  grpc::ByteBuffer response;
  grpc::Status status;
  std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader;
};

void StartCall(grpc::GenericStub* stub, grpc::CompletionQueue* queue, const grpc::ByteBuffer& message) {
  auto* call = new ClientCall;
  call->reader = stub->PrepareUnaryCall(&call->context, "/bench.Echo/Unary", message, queue);
  call->reader->StartCall();
  call->reader->Finish(&call->response, &call->status, call);
}

int64_t Run(grpc::GenericStub* stub, std::chrono::milliseconds duration) {
  grpc::CompletionQueue queue;
  const std::string bytes = std::string("\x0a\x62") + std::string(98, '\0');
  const grpc::ByteBuffer message = BufferOf(bytes);
  const auto over = std::chrono::steady_clock::now() + duration;
  for (int i = 0; i < kInFlight; i++) StartCall(stub, &queue, message);
  int64_t calls = 0;
  int running = kInFlight;
  void* tag;
  bool ok;
  while (running > 0 && queue.Next(&tag, &ok)) {
    std::unique_ptr<ClientCall> call(static_cast<ClientCall*>(tag));
    if (!call->status.ok() || call->response.Length() != bytes.size()) {
      std::cerr << "call failed: " << call->status.error_message() << std::endl;
      std::exit(1);
    }
    calls++;
    if (std::chrono::steady_clock::now() < over) {
      StartCall(stub, &queue, message);
    } else {
      running--;
    }
  }
  return calls;
}

int Client(const std::string& target) {
  grpc::GenericStub stub(grpc::CreateChannel(target, grpc::InsecureChannelCredentials()));
  std::cout << "ready 0" << std::endl;
  std::string line;
  while (std::getline(std::cin, line)) {
    const auto ms = std::chrono::milliseconds(std::atoi(line.c_str() + std::strlen("run ")));
    std::cout << "calls " << Run(&stub, ms) << std::endl;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string role = argc > 1 ? argv[1] : "";
  if (role == "server") return Serve();
  if (role == "client" && argc > 2) return Client(argv[2]);
  std::cerr << "usage: grpc-cpp server | client <host:port>" << std::endl;
  return 2;
}
