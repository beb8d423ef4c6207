#include "http/cpprest_transport_sink.h"

#include <utility>

namespace shutdown_auditor::http {
namespace {

using Base = concurrency::streams::details::streambuf_state_manager<std::uint8_t>;

// Only writing is supported; the library calls nothing else on the stream of a response.
class ChannelBuffer final : public Base {
 public:
  explicit ChannelBuffer(std::shared_ptr<ByteChannel> channel)
      : Base(std::ios_base::out), channel_(std::move(channel)) {}

  bool can_seek() const override { return false; }
  bool has_size() const override { return false; }
  std::size_t buffer_size(std::ios_base::openmode) const override { return 0; }
  void set_buffer_size(std::size_t, std::ios_base::openmode) override {}
  std::size_t in_avail() const override { return 0; }
  pos_type getpos(std::ios_base::openmode) const override { return traits::eof(); }
  pos_type seekpos(pos_type, std::ios_base::openmode) override { return traits::eof(); }
  pos_type seekoff(off_type, std::ios_base::seekdir, std::ios_base::openmode) override { return traits::eof(); }
  bool acquire(std::uint8_t*& pointer, std::size_t& count) override {
    pointer = nullptr;
    count = 0;
    return false;
  }
  void release(std::uint8_t*, std::size_t) override {}

 protected:
  // Never fails: an exception would end the process (the caller is a bare library thread), and for a failed task the library
  // blocks that thread until another one has closed the stream (streambuf_state_manager in cpprest/astreambuf.h). What nobody
  // reads is dropped; its request is cancelled by whoever stopped reading.
  pplx::task<std::size_t> _putn(const std::uint8_t* bytes, std::size_t count) override {
    try {
      const pplx::task_completion_event<std::size_t> room;
      const std::string_view piece(static_cast<const char*>(static_cast<const void*>(bytes)), count);
      if (channel_->put(piece, [room, count] { room.set(count); }) == ByteChannel::Put::kFull) {
        return pplx::task<std::size_t>(room);
      }
    } catch (...) {
      channel_->abort();  // no memory
    }
    return pplx::task_from_result(count);
  }
  pplx::task<int_type> _putc(std::uint8_t byte) override {
    return _putn(&byte, 1).then([byte](std::size_t) { return static_cast<int_type>(byte); });
  }
  pplx::task<bool> _sync() override { return pplx::task_from_result(true); }
  std::uint8_t* _alloc(std::size_t) override { return nullptr; }
  void _commit(std::size_t) override {}

  pplx::task<int_type> _bumpc() override { return at_end(); }
  int_type _sbumpc() override { return traits::eof(); }
  pplx::task<int_type> _getc() override { return at_end(); }
  int_type _sgetc() override { return traits::eof(); }
  pplx::task<int_type> _nextc() override { return at_end(); }
  pplx::task<int_type> _ungetc() override { return at_end(); }
  pplx::task<std::size_t> _getn(std::uint8_t*, std::size_t) override { return pplx::task_from_result<std::size_t>(0); }
  std::size_t _scopy(std::uint8_t*, std::size_t) override { return 0; }

 private:
  static pplx::task<int_type> at_end() { return pplx::task_from_result<int_type>(traits::eof()); }

  std::shared_ptr<ByteChannel> channel_;
};

}  // namespace

concurrency::streams::ostream make_channel_stream(std::shared_ptr<ByteChannel> channel) {
  return concurrency::streams::streambuf<std::uint8_t>(std::make_shared<ChannelBuffer>(std::move(channel)))
      .create_ostream();
}

}  // namespace shutdown_auditor::http
