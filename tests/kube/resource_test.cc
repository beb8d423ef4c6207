#include "kube/resource.h"

#include <gtest/gtest.h>

namespace shutdown_auditor::kube {
namespace {

using namespace resources;

TEST(Resource, PathsOfCollectionsObjectsAndSubresources) {
  EXPECT_EQ(path_of(kDeployments, ""), "/apis/apps/v1/deployments");
  EXPECT_EQ(path_of(kDeployments, "shop"), "/apis/apps/v1/namespaces/shop/deployments");
  EXPECT_EQ(path_of(kDeployments, "shop", "web"), "/apis/apps/v1/namespaces/shop/deployments/web");
  EXPECT_EQ(path_of(kDeployments, "shop", "web", "status"), "/apis/apps/v1/namespaces/shop/deployments/web/status");
  EXPECT_EQ(path_of(kServices, "shop"), "/api/v1/namespaces/shop/services");
  EXPECT_EQ(path_of(kNamespaces, "", "shop"), "/api/v1/namespaces/shop");
  EXPECT_EQ(path_of(kNamespaces, "ignored", "shop"), "/api/v1/namespaces/shop");
}

TEST(Resource, HostileNamesCannotLeaveTheirPathSegment) {
  EXPECT_EQ(path_of(kDeployments, "a/../b", "x?y#z"), "/apis/apps/v1/namespaces/a%2F..%2Fb/deployments/x%3Fy%23z");
}

TEST(Resource, PercentEncodingKeepsOnlyUnreservedCharacters) {
  EXPECT_EQ(percent_encode("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(percent_encode("environment in (a,b)"), "environment%20in%20%28a%2Cb%29");
  EXPECT_EQ(percent_encode("tier!=front,x=\xC3\xA9"), "tier%21%3Dfront%2Cx%3D%C3%A9");
  EXPECT_EQ(percent_encode(std::string_view("\0\xFF", 2)), "%00%FF");
}

TEST(Resource, ApiVersion) {
  EXPECT_EQ(kServices.api_version(), "v1");
  EXPECT_EQ(kDeployments.api_version(), "apps/v1");
}

}  // namespace
}  // namespace shutdown_auditor::kube
