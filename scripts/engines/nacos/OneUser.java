package heddle.engines;

import com.alibaba.nacos.plugin.auth.api.IdentityContext;
import com.alibaba.nacos.plugin.auth.api.Permission;
import com.alibaba.nacos.plugin.auth.api.Resource;
import com.alibaba.nacos.plugin.auth.constant.ActionTypes;
import com.alibaba.nacos.plugin.auth.exception.AccessException;
import com.alibaba.nacos.plugin.auth.spi.server.AuthPluginService;
import java.util.Collection;
import java.util.List;
import java.util.UUID;

/** Lets one user in, who is named by system properties: whoever shows the token that a login gives. */
public class OneUser implements AuthPluginService {
  static final String TOKEN = UUID.randomUUID().toString();

  static boolean is(String name, String password) {
    return name.equals(System.getProperty("one-user.name"))
        && password.equals(System.getProperty("one-user.password"));
  }

  @Override
  public Collection<String> identityNames() {
    return List.of("accessToken");
  }

  @Override
  public boolean enableAuth(ActionTypes action, String type) {
    return true;
  }

  @Override
  public boolean validateIdentity(IdentityContext identity, Resource resource) throws AccessException {
    if (TOKEN.equals(identity.getParameter("accessToken"))) return true;
    throw new AccessException("user not found!");
  }

  @Override
  public Boolean validateAuthority(IdentityContext identity, Permission permission) {
    return true;
  }

  @Override
  public String getAuthServiceName() {
    return "one-user";
  }
}
