package heddle.engines;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.AutoConfigurationExcludeFilter;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.autoconfigure.security.servlet.SecurityAutoConfiguration;
import org.springframework.boot.actuate.autoconfigure.security.servlet.ManagementWebSecurityAutoConfiguration;
import org.springframework.boot.context.TypeExcludeFilter;
import org.springframework.boot.web.servlet.ServletComponentScan;
import org.springframework.context.annotation.ComponentScan;
import org.springframework.context.annotation.FilterType;
import org.springframework.http.ResponseEntity;
import org.springframework.scheduling.annotation.EnableScheduling;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/**
 * The Nacos server without its console, as its own main class assembles it. Its plug-in for
 * users is not published; the one of this folder answers a login as that does.
 */
@RestController
@SpringBootApplication(
    exclude = {SecurityAutoConfiguration.class, ManagementWebSecurityAutoConfiguration.class})
@ComponentScan(
    basePackages = "com.alibaba.nacos",
    excludeFilters = {
      @ComponentScan.Filter(type = FilterType.CUSTOM, classes = TypeExcludeFilter.class),
      @ComponentScan.Filter(type = FilterType.CUSTOM, classes = AutoConfigurationExcludeFilter.class)
    })
@ServletComponentScan
@EnableScheduling
public class NacosMain {
  public static void main(String[] args) {
    SpringApplication.run(NacosMain.class, args);
  }

  @PostMapping("/v1/auth/login")
  ResponseEntity<String> login(
      @RequestParam("username") String username, @RequestParam("password") String password) {
    if (!OneUser.is(username, password)) return ResponseEntity.status(403).body("unknown user!");
    return ResponseEntity.ok("{\"accessToken\":\"" + OneUser.TOKEN + "\",\"tokenTtl\":18000}");
  }
}
