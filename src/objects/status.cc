#include "objects/status.h"

namespace shutdown_auditor::objects {
// Declared before the tables use them.
template <> const Shape& shape_of<StatusCause>();
template <> const Shape& shape_of<StatusDetails>();

namespace {

constexpr auto kCause = table(field<&StatusCause::reason>("reason"), field<&StatusCause::message>("message"),
                              field<&StatusCause::field>("field"));
constexpr auto kDetails = table(
    field<&StatusDetails::name>("name"), field<&StatusDetails::group>("group"), field<&StatusDetails::kind>("kind"),
    field<&StatusDetails::uid>("uid"), field<&StatusDetails::causes>("causes"),
    field<&StatusDetails::retry_after_seconds>("retryAfterSeconds"));
constexpr auto kStatus =
    table(field<&Status::status>("status"), field<&Status::reason>("reason"), field<&Status::message>("message"),
          field<&Status::code>("code"), field<&Status::details>("details"));

}  // namespace

template <> const Shape& shape_of<StatusCause>() { return object_shape<kCause>(); }
template <> const Shape& shape_of<StatusDetails>() { return object_shape<kDetails>(); }
template <> const Shape& shape_of<Status>() { return object_shape<kStatus>(); }

}  // namespace shutdown_auditor::objects
